import assert from 'node:assert/strict';
import { BoxwrightError } from '../../src/errors.js';

/** For `assert.rejects`: a foreseen error about weights whose message starts with the file's name. */
export function refusal(file: string, message: RegExp): (error: Error) => true {
  return (error) => {
    assert.ok(error instanceof BoxwrightError, `${error.stack}`);
    assert.equal(error.code, 'weights');
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(`${file}: `), error.message);
    return true;
  };
}
