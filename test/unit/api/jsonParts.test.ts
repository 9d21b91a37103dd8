import { expect, test } from 'vitest'
import { countJsonParts } from '../../../src/api/jsonParts.ts'

test.each([
  ['{"a":["b",1]}', 4],
  ['[]', 1],
  ['12', 0],
  ['"{[\\"{[\\\\"', 1],
  ['[{},{},"[{"]', 4],
  ['{"never closed', 2],
])('%s has %i parts', (text, parts) => {
  expect(countJsonParts(text, 100)).toBe(parts)
})

test('no more is counted than one above the limit', () => {
  expect(countJsonParts('[{},{},{},{}]', 2)).toBe(3)
})
