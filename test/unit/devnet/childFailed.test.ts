import { describe, expect, it } from 'vitest'
import { toChildFailed } from '../../../src/devnet/runCommand.ts'

describe('a process of the network that ended', () => {
  it('ends its caller with its own exit code, message and hint', () => {
    const stderr = 'a note\n{"error":{"code":"CUCKOO_HUB_UNREACHABLE","kind":"unavailable","message":"No hub.","hint":"Check the network.","facts":{}}}\n'
    expect(toChildFailed('cuckoo miner start', 75, stderr)).toMatchObject({
      code: 'CUCKOO_DEVNET_CHILD_FAILED',
      kind: 'unavailable',
      message: '`cuckoo miner start` ended with exit code 75: No hub. (CUCKOO_HUB_UNREACHABLE)',
      hint: 'Check the network.',
    })
    expect(toChildFailed('cuckoo run', 2, stderr).kind).toBe('usage')
  })

  it.each([null, 1, 134])('is our fault when it was killed or ended by %s', (exitCode) => {
    expect(toChildFailed('anvil', exitCode, 'one\ntwo\n')).toMatchObject({ kind: 'internal', message: expect.stringMatching(/: two$/) as string })
  })
})
