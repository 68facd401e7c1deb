/** The words of the runtime's contract, as sdk/typescript makes them from docs/openapi.json. Types alone: nothing of it is in the bundle. */
export type * from '../../sdk/typescript/src/generated';
