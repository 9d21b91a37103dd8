import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { compose } from '../../../src/cli/compose.ts'
import type { ComposeOptions } from '../../../src/cli/ports.ts'
import { loadConfig } from '../../../src/config/loadConfig.ts'

it('CUCKOO_BEACON_URL takes the place of the public relays', async () => {
  const asked: (string | undefined)[] = []
  const relay = createServer((request, response) => {
    asked.push(request.url)
    response.end(JSON.stringify({ round: 1, signature: 'ab'.repeat(64) }))
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}/relay/`
    const config = loadConfig({ flags: {}, env: { CUCKOO_HOME: '/nowhere/home', CUCKOO_BEACON_URL: url }, platform: 'linux' })
    const ports = compose({ config, output: { interactive: false } } as ComposeOptions)
    expect(await (await ports.getBeacon()).fetchProof(1n)).toBe(`0x${'ab'.repeat(64)}`)
    expect(asked).toEqual([expect.stringMatching(/^\/relay\/[0-9a-f]{64}\/public\/1$/)])
  } finally {
    relay.close()
  }
})
