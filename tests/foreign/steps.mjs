// Steps that a test walks a program of others through: it says a word on standard input, and reads one line of JSON.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Runs the step that the test names, until it names none. */
export async function walk(steps) {
  for (;;) {
    const { value: word, done } = await lines.next();
    if (done) return;
    let told;
    try {
      told = { ok: await steps[word]() };
    } catch (error) {
      told = { error: String(error?.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
}

/** The message that a call fails with; null when it does not. */
export const failure = (call) => call.then(() => null, (error) => String(error.message ?? error));
