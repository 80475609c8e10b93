// One object out of an answer of AWS's, read field by field. What is not there, or of another type, is told by file, list and field: a snapshot may be
// edited by hand, cut short, or not AWS's at all.

/** A snapshot that cannot be read; the message is a sentence for the person. */
export class ImportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportError';
  }
}

type Fields = Readonly<Record<string, unknown>>;

export class Item {
  readonly #fields: Fields;
  /** `vpcs.json, Vpcs[0]` */
  readonly where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ImportError(`${where} is no object`);
    this.#fields = value as Fields;
    this.where = where;
  }

  has(name: string): boolean {
    const value = this.#fields[name];
    return value !== undefined && value !== null;
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw new ImportError(`${this.where} has no ${name}`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#read(name, 'string', 'a text') as string | undefined;
  }

  /** Absent counts as false. */
  flag(name: string, absent = false): boolean {
    return (this.#read(name, 'boolean', 'true or false') as boolean | undefined) ?? absent;
  }

  number(name: string): number | undefined {
    return this.#read(name, 'number', 'a number') as number | undefined;
  }

  item(name: string): Item | undefined {
    return this.has(name) ? new Item(this.#fields[name], `${this.where}.${name}`) : undefined;
  }

  list(name: string): Item[] {
    return this.#list(name).map((each, index) => new Item(each, `${this.where}.${name}[${index}]`));
  }

  texts(name: string): string[] {
    return this.#list(name).map((each, index) => {
      if (typeof each !== 'string') throw new ImportError(`${this.where}.${name}[${index}] is no text`);
      return each;
    });
  }

  /** A policy: the AWS CLI prints an object, an SDK the text, which IAM percent-encodes. */
  document(name: string): string | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'object') return JSON.stringify(value);
    const text = this.text(name);
    return text.startsWith('%7B') || text.startsWith('%0A') || text.startsWith('%20') ? decodeURIComponent(text) : text;
  }

  /** `Tags`, or under the other name that some answers have for them. */
  tags(name = 'Tags'): Record<string, string> {
    return Object.fromEntries(this.list(name).map((tag) => [tag.text('Key'), tag.optionalText('Value') ?? '']));
  }

  #list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new ImportError(`${this.where}.${name} is no list`);
    return value as readonly unknown[];
  }

  #read(name: string, type: string, words: string): unknown {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== type) throw new ImportError(`${this.where}.${name} is not ${words}`);
    return value;
  }
}
