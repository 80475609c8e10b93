// M1–M5: action, resource, principal, NotPrincipal, version.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written like that

import { account, allow, ana, type Case, deny, other, roleArn, root, session } from './case.ts';

const action = (name: string, pattern: Record<string, unknown>, asked: string, allowed: boolean): Case => ({
  rule: 'M1',
  name,
  action: asked,
  policies: { identity: [allow(pattern)] },
  answer: allowed ? '+identity' : '-identity',
});
const resource = (name: string, pattern: Record<string, unknown>, asked: string, allowed: boolean): Case => ({
  rule: 'M2',
  name,
  resource: asked,
  policies: { identity: [allow(pattern)] },
  answer: allowed ? '+identity' : '-identity',
});
const listed = (names: string[]) => ({ NotPrincipal: { AWS: names } });

export const matchingCases: readonly Case[] = [
  action('a name in full', { Action: 's3:GetObject' }, 's3:GetObject', true),
  action('has no case', { Action: 'S3:getobject' }, 's3:GetObject', true),
  action('`*` inside', { Action: 's3:Get*' }, 's3:GetObject', true),
  action('`*` in the middle', { Action: 's3:*Object' }, 's3:GetObject', true),
  action('`?` is one character', { Action: 's3:GetObjec?' }, 's3:GetObject', true),
  action('`?` is not none', { Action: 's3:GetObject?' }, 's3:GetObject', false),
  action('another service', { Action: 'ec2:*' }, 's3:GetObject', false),
  action('a prefix alone is not enough', { Action: 's3:Get' }, 's3:GetObject', false),
  action('one of a list', { Action: ['s3:PutObject', 's3:GetObject'] }, 's3:GetObject', true),
  action('NotAction excludes what it names', { NotAction: 's3:Get*' }, 's3:GetObject', false),
  action('NotAction allows all the rest', { NotAction: 'iam:*' }, 's3:GetObject', true),

  resource('an ARN in full', { Resource: 'arn:aws:s3:::b/k' }, 'arn:aws:s3:::b/k', true),
  resource('`*` reaches over slashes', { Resource: 'arn:aws:s3:::b/*' }, 'arn:aws:s3:::b/a/b/c', true),
  resource('the bucket is not among its objects (T4)', { Resource: 'arn:aws:s3:::b/*' }, 'arn:aws:s3:::b', false),
  resource('has case', { Resource: 'arn:aws:s3:::B/*' }, 'arn:aws:s3:::b/k', false),
  resource('`?` is one character', { Resource: 'arn:aws:s3:::b/?' }, 'arn:aws:s3:::b/kk', false),
  resource('two stars', { Resource: 'arn:aws:s3:::b/*/x/*' }, 'arn:aws:s3:::b/1/2/x/3', true),
  resource(
    'region and account wildcards',
    { Resource: 'arn:aws:ec2:*:*:instance/i-*' },
    `arn:aws:ec2:us-east-1:${account}:instance/i-0ab1`,
    true,
  ),
  resource(
    'another account',
    { Resource: `arn:aws:ec2:*:${other}:instance/*` },
    `arn:aws:ec2:us-east-1:${account}:instance/i-0ab1`,
    false,
  ),
  resource('an incomplete ARN is completed with wildcards', { Resource: 'arn:aws:s3' }, 'arn:aws:s3:::b/k', true),
  resource('an action without resource needs `*`', { Resource: 'arn:aws:ec2:*:*:vpc/*' }, '*', false),
  resource('NotResource excludes what it names', { NotResource: 'arn:aws:s3:::b/*' }, 'arn:aws:s3:::b/k', false),
  resource('NotResource allows all the rest', { NotResource: 'arn:aws:s3:::b/*' }, 'arn:aws:s3:::c/k', true),
  resource(
    'regular-expression characters are text',
    { Resource: 'arn:aws:s3:::b/a.c+(d)' },
    'arn:aws:s3:::b/abc+(d)',
    false,
  ),

  {
    rule: 'M3',
    name: 'no partial wildcard in a principal: a star in an ARN is text',
    policies: { resource: [{ ...allow(), Principal: { Service: 's3.amazonaws.com' } }] },
    answer: '-identity',
  },
  {
    rule: 'M3',
    name: 'a unique id names the role of a session',
    who: session,
    policies: { resource: [allow({ Principal: { AWS: 'AROAEXAMPLEAPP0000001' } })] },
    answer: '+resource',
  },
  {
    rule: 'M3',
    name: 'the role ARN names its sessions, with its path',
    who: session,
    policies: { resource: [allow({ Principal: { AWS: roleArn } })] },
    answer: '+resource',
  },
  {
    rule: 'M3',
    name: 'another session of the role is not this one',
    who: session,
    policies: { resource: [allow({ Principal: { AWS: `arn:aws:sts::${account}:assumed-role/app/other` } })] },
    answer: '-identity',
  },
  {
    rule: 'M3',
    name: 'one of a list',
    policies: { resource: [allow({ Principal: { AWS: [other, ana.arn] } })] },
    answer: '+resource',
  },
  {
    rule: 'M3',
    name: 'a user of the same name elsewhere is someone else',
    policies: { resource: [allow({ Principal: { AWS: `arn:aws:iam::${other}:user/ana` } })] },
    answer: '-identity',
  },

  {
    rule: 'M4',
    name: 'NotPrincipal with Deny denies who is not listed',
    policies: { identity: [allow()], resource: [deny(listed([`arn:aws:iam::${account}:user/bo`, account]))] },
    answer: '!resource',
  },
  {
    rule: 'M4',
    name: 'it spares the user when user and account are listed',
    policies: { identity: [allow()], resource: [deny(listed([ana.arn, root.arn]))] },
    answer: '+identity',
  },
  {
    rule: 'M4',
    name: 'the user without the account is still denied',
    policies: { identity: [allow()], resource: [deny(listed([ana.arn]))] },
    answer: '!resource',
  },
  {
    rule: 'M4',
    name: 'the account without the user is still denied',
    policies: { identity: [allow()], resource: [deny(listed([account]))] },
    answer: '!resource',
  },
  {
    rule: 'M4',
    name: 'a role needs account, role and session',
    who: session,
    policies: { identity: [allow()], resource: [deny(listed([account, roleArn, session.arn]))] },
    answer: '+identity',
  },
  {
    rule: 'M4',
    name: 'a role without its session is still denied',
    who: session,
    policies: { identity: [allow()], resource: [deny(listed([account, roleArn]))] },
    answer: '!resource',
  },
  {
    rule: 'M4',
    name: 'who has a boundary is always denied',
    policies: { identity: [allow()], boundary: [allow()], resource: [deny(listed([ana.arn, root.arn]))] },
    answer: '!resource',
  },
  {
    rule: 'M4',
    name: 'it works in an endpoint policy',
    policies: { identity: [allow()], endpoint: [allow({ Principal: '*' }), deny(listed([other]))] },
    answer: '!endpoint',
  },

  {
    rule: 'M5',
    name: '2012-10-17 has variables',
    version: '2012-10-17',
    resource: 'arn:aws:s3:::b/ana/k',
    context: { 'aws:username': 'ana' },
    policies: { identity: [allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' })] },
    answer: '+identity',
  },
  {
    rule: 'M5',
    name: '2008-10-17 takes them for text',
    version: '2008-10-17',
    resource: 'arn:aws:s3:::b/ana/k',
    context: { 'aws:username': 'ana' },
    policies: { identity: [allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' })] },
    answer: '-identity',
  },
  {
    rule: 'M5',
    name: 'and the text matches itself',
    version: '2008-10-17',
    resource: 'arn:aws:s3:::b/${aws:username}/k',
    context: { 'aws:username': 'ana' },
    policies: { identity: [allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' })] },
    answer: '+identity',
  },
];
