// The loader of mutate.mjs: it reads the source before TypeScript is taken out of it.
let mutation;

export function initialize(text) {
  mutation = text === undefined ? undefined : JSON.parse(text);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  const path = url.split('?')[0];
  if (mutation === undefined || loaded.source === undefined || !path.endsWith(`/${mutation.file}`)) return loaded;
  return { ...loaded, source: String(loaded.source).replace(mutation.from, () => mutation.to) };
}
