// Writes src/generated.ts: the types and routes of docs/openapi.json. With --check it only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';

const place = new URL('../src/generated.ts', import.meta.url);
const { components, paths } = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));

const isNull = (schema) => schema.type === 'null';
const nameOf = (schema) => schema.$ref?.split('/').pop();
/** What stands for everything that is not described: in a union, TypeScript could tell no other member by its type. */
const isTheRest = (schema) => (components.schemas[nameOf(schema)]?.allOf ?? []).some((part) => Object.values(part.properties ?? {}).some((field) => field.not));
const quoted = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
const union = (types) => [...new Set(types)].join(' | ') || 'never';
const PAGE = 'Page_';
/** Whether a schema has no name of its own in TypeScript: pages are one generic type, and `i64` is a number. */
const isInPlace = (name) => name.startsWith(PAGE) || /^[a-z]/.test(name);

function comment(text, indent) {
  if (text === undefined) return '';
  const lines = text.trim().split('\n').map((line) => line.trim());
  return lines.length === 1 ? `${indent}/** ${lines[0]} */\n` : `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

function object(schema, indent) {
  const required = new Set(schema.required ?? []);
  const inner = `${indent}  `;
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const optional = required.has(name) ? '' : '?';
    return `${comment(field.description, inner)}${inner}${quoted(name)}${optional}: ${type(field, inner)};\n`;
  });
  const rest = schema.additionalProperties;
  if (fields.length === 0) return typeof rest === 'object' ? `Record<string, ${type(rest, indent)}>` : 'Record<string, never>';
  return `{\n${fields.join('')}${indent}}`;
}

function reference(name, indent) {
  if (name.startsWith(PAGE)) return `ListPage<${name.slice(PAGE.length)}>`;
  return isInPlace(name) ? type(components.schemas[name], indent) : name;
}

function type(schema, indent = '') {
  if (schema.$ref) return reference(nameOf(schema), indent);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) {
    const described = choices.filter((choice) => !isTheRest(choice));
    return union([...described.filter((choice) => !isNull(choice)), ...described.filter(isNull)].map((choice) => type(choice, indent)));
  }
  if (schema.allOf) return schema.allOf.map((part) => type(part, indent)).join(' & ');
  if (Array.isArray(schema.type)) return union(schema.type.map((each) => type({ ...schema, type: each }, indent)));
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `Array<${type(schema.items ?? {}, indent)}>`;
    case 'object':
      return object(schema, indent);
    default:
      return 'unknown';
  }
}

const JSON_TYPE = 'application/json';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** What one place of an operation's parameters takes, such as its path; `undefined` where it takes nothing. */
function parameters(operation, place) {
  const named = (operation.parameters ?? []).filter((each) => each.in === place);
  if (named.length === 0) return undefined;
  const properties = Object.fromEntries(named.map(({ name, schema, description }) => [name, { ...schema, description }]));
  const required = named.filter((each) => each.required).map((each) => each.name);
  return { schema: { properties, required }, needed: required.length > 0 };
}

/** One route: what it takes, and what it answers where that is JSON. */
function route(operation) {
  const [path, query] = [parameters(operation, 'path'), parameters(operation, 'query')];
  const body = operation.requestBody?.content[JSON_TYPE];
  const done = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const answers = done.flatMap(([, { content }]) => (content?.[JSON_TYPE] ? [type(content[JSON_TYPE].schema, '    ')] : []));
  const fields = [
    ['path', path && object(path.schema, '    '), true],
    ['query', query && object(query.schema, '    '), query?.needed],
    ['json', body && type(body.schema, '    '), operation.requestBody?.required],
    ['answer', answers.length > 0 && union(answers), true],
  ];
  return fields.filter(([, said]) => said).map(([name, said, needed]) => `    ${name}${needed ? '' : '?'}: ${said};\n`).join('');
}

function routes() {
  const all = Object.entries(paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => [method, path, item[method]]));
  return all.map(([method, path, operation]) => {
    const name = `${method.toUpperCase()} ${path.replace(/^\/v1/, '')}`;
    return `${comment(operation.summary, '  ')}  ${JSON.stringify(name)}: {\n${route(operation)}  };\n`;
  }).join('');
}

const named = Object.entries(components.schemas).filter(([name]) => !isInPlace(name));
const declared = named.map(([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${type(schema)};\n`);
const page = `/** One page of a list; \`nextCursor\` asks for the page after it. */
export type ListPage<T> = {
  data: Array<T>;
  nextCursor: string | null;
};
`;
const text = `// Written by scripts/types.mjs from docs/openapi.json; not to be edited.

${[page, ...declared].join('\n')}
/** Every route: its method and its path after \`/v1\`, what it takes, and what it answers where that is JSON. */
export interface Routes {
${routes()}}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(place, 'utf8') !== text) {
    console.error('src/generated.ts is not current: run script/generate');
    process.exit(1);
  }
} else {
  writeFileSync(place, text);
}
