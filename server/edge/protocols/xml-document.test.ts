import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseXml } from './xml-document.ts';

const treeOf = (document: string) => {
  const root = parseXml(document);
  // Elements have no prototype.
  return root && (JSON.parse(JSON.stringify({ [root.name]: root.element })) as unknown);
};

describe('a document', () => {
  const documents: [title: string, document: string, tree: object][] = [
    ['text', '<a>b</a>', { a: 'b' }],
    ['nothing, in either form', '<a><b></b><c/></a>', { a: { b: '', c: '' } }],
    ['several of one name', '<a><b>1</b><b>2</b><b/></a>', { a: { b: ['1', '2', ''] } }],
    ['attributes', `<a b="1" c = '"2"'\n><d e=">"/></a>`, { a: { '@b': '1', '@c': '"2"', d: { '@e': '>' } } }],
    ['text beside children', '<a>1<b/>2</a>', { a: { b: '', '#text': '12' } }],
    ['references', '<a b="&quot;">&lt;&#65;&#x42;&amp;amp;</a>', { a: { '@b': '"', '#text': '<AB&amp;' } }],
    ['character data as it stands', '<a><![CDATA[<&amp;]]>&gt;</a>', { a: '<&amp;>' }],
    ['comments and instructions', '<?x y?><a>1<!-- <b> --><?z?>2</a><!-- -->', { a: '12' }],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a/>\n', { a: '' }],
    ['every end of line as one character', '<a>1\r\n2\r3</a>', { a: '1\n2\n3' }],
    ['space in an end tag', '<a></a \n>', { a: '' }],
    ['prefixes as they are', '<x:a xmlns:x="u"/>', { 'x:a': { '@xmlns:x': 'u' } }],
    [
      'names of what every object has',
      '<a><constructor/><__proto__>1</__proto__></a>',
      { a: { constructor: '', ['__proto__']: '1' } },
    ],
  ];
  for (const [title, document, tree] of documents) it(`has ${title}`, () => assert.deepEqual(treeOf(document), tree));

  it('that is nested deeply is read without the stack', () => {
    const depth = 200_000;
    assert.ok(parseXml('<a>'.repeat(depth) + '</a>'.repeat(depth)));
  });
});

describe('what is not well-formed is refused', () => {
  for (const document of [
    '',
    'a',
    '<a>',
    '<a></b>',
    '</a>',
    '<a/><b/>',
    '<a/>b',
    'b<a/>',
    '<a b/>',
    '<a b=c/>',
    '<a b="1"c="2"/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a b="1/>',
    '<a',
    '< a/>',
    '<1/>',
    '<a>&</a>',
    '<a>&nbsp;</a>',
    '<a>&#xd800;</a>',
    '<a>\u0000</a>',
    '<a><!-- </a>',
    '<a><![CDATA[</a>',
    '<![CDATA[]]><a/>',
    '<!DOCTYPE a><a/>',
    '<a><!ENTITY b "c"></a>',
    '<?xml version="1.0><a/>',
    '<?xml encoding="UTF-8"?><a/>',
    ' <?xml version="1.0"?><a/>',
    '<a><?xml version="1.0"?></a>',
    '<?x <a/>',
  ])
    it(JSON.stringify(document), () => assert.equal(parseXml(document), undefined));
});
