// Writes src/generated.ts: the types of docs/openapi.json. With --check it only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';

const place = new URL('../src/generated.ts', import.meta.url);
const { components } = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));

const isNull = (schema) => schema.type === 'null';
const nameOf = (schema) => schema.$ref?.split('/').pop();
/** What stands for everything that is not described: in a union, TypeScript could tell no other member by its type. */
const isTheRest = (schema) => (components.schemas[nameOf(schema)]?.allOf ?? []).some((part) => Object.values(part.properties ?? {}).some((field) => field.not));
const quoted = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
const union = (types) => [...new Set(types)].join(' | ') || 'never';

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

function type(schema, indent = '') {
  if (schema.$ref) return nameOf(schema);
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

// Pages of lists are one generic type, written by hand.
const named = Object.entries(components.schemas).filter(([name]) => !name.startsWith('Page_'));
const declared = named.map(([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${type(schema)};\n`);
const text = `// Written by scripts/types.mjs from docs/openapi.json; not to be edited.\n\n${declared.join('\n')}`;

if (process.argv.includes('--check')) {
  if (readFileSync(place, 'utf8') !== text) {
    console.error('src/generated.ts is not current: run `npm run types` in sdk/typescript');
    process.exit(1);
  }
} else {
  writeFileSync(place, text);
}
