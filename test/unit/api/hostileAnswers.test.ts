import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../support/hostileAnswers.ts', import.meta.url))

test('no answer of a coordinator fills the heap of a miner', { timeout: 120_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=256', script])
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [name: string, code: string, message: string])
  expect(new Set(answers.map(([, code]) => code))).toEqual(new Set(['CUCKOO_API_RESPONSE_INVALID']))
  expect(answers.map(([name, , message]) => `${name}: ${message.split(': ').slice(1).join(': ')}`)).toMatchInlineSnapshot(`
    [
      "pollTask, wrong reasons: 'reasons': Too big: expected array to have <=100 items.",
      "pollTask, empty objects: it has more than 393216 objects, arrays and strings.",
      "pollTask, empty objects without end: it is larger than 12582912 bytes.",
      "pollTask, unknown keys: 'task.assignment.taskId': expected string, received undefined.",
      "pollTask, wrong token ids: 'task.assignment': expected object, received undefined.",
      "pollTask, texts as token ids: 'task.assignment': expected object, received undefined.",
      "pollTask, too many token ids: 'task.assignment': expected object, received undefined.",
      "openSession, wrong refusals: 'sessionId': expected string, received undefined.",
      "openSession, more wrong refusals: it has more than 32768 objects, arrays and strings.",
      "openSession, wrong hashes: 'sessionId': expected string, received undefined.",
      "renewLease, numbers: it is larger than 65536 bytes.",
    ]
  `)
})
