import { expect, test } from 'vitest'
import { formatMinerEvent } from '../../../src/cli/minerEvents.ts'
import { formatMinerStatus } from '../../../src/cli/minerView.ts'
import { sessionInvalid } from '../../../src/errors/api.ts'
import { createCoordinatorState, createMinerState, stateTakenAtMs } from '../../support/minerStatus.ts'

const rings = '\u001b[2J\u009b1m\u0007'
/** It passes for a URL: a parser escapes what a terminal would obey. */
const url = `https://coordinator.example/${rings}`

test('nothing that a coordinator or its profile says reaches a terminal as a command to it', () => {
  expect(URL.canParse(url)).toBe(true)
  const coordinator = { url, node: null }
  const refused = [{ model: 'a/b', code: 'X', message: rings }]
  const line = formatMinerEvent({ type: 'sessionOpened', coordinator, sessionId: `0x${'00'.repeat(32)}`, slots: 1, refused })
  expect(line).toBe('session with https://coordinator.example/ [2J 1m , 1 slot; refuses a/b:  [2J 1m ')
  expect(formatMinerEvent({ type: 'waiting', coordinator, reasons: ['x'.repeat(9_000)] })).toHaveLength(2_000)
})

test('and the view of a running miner neither', () => {
  const lastError = sessionInvalid({ reason: rings })
  const busy = createCoordinatorState()
  const state = createMinerState({
    coordinators: [
      createCoordinatorState({ url, tasks: [], lastReasons: [rings], lastError }),
      { ...busy, tasks: busy.tasks.map((task) => ({ ...task, model: rings })) },
    ],
    lastError: { atMs: stateTakenAtMs, error: lastError },
  })
  const problem = { code: lastError.code, message: lastError.message, hint: null }
  const status = {
    ...state,
    pid: 1,
    version: '1',
    network: 'fakenet',
    lastError: { atMs: stateTakenAtMs, error: problem },
    coordinators: state.coordinators.map((coordinator) => ({ ...coordinator, lastError: coordinator.lastError === null ? null : problem })),
  }
  const lines = formatMinerStatus(status, { columns: 200, style: (_style, text) => text }, stateTakenAtMs)
  expect(lines.join('')).toContain('[2J')
  expect(lines.join('')).not.toMatch(/\p{Cc}/u)
})
