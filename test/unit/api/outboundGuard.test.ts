import type { LookupAddress } from 'node:dns'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { createClient } from '../../../src/api/client.ts'
import { createGuardedLookup, isPublicAddress, parseOutboundUrl } from '../../../src/api/outboundGuard.ts'
import { CuckooError } from '../../../src/errors/cuckooError.ts'

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof CuckooError ? error.code : String(error)
  }
  return 'no error'
}

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2001::1',
  'localhost',
  '',
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001:80f::200e'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true)
  },
)

test.each([
  ['https://coordinator.example.org/base', 'no error'],
  ['https://1.1.1.1', 'no error'],
  ['http://coordinator.example.org', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://127.0.0.1', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://2130706433/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://0x7f.1/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://017700000001/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://１２７.0.0.1/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://[::1]/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://[::ffff:10.0.0.1]/', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://169.254.169.254/latest/meta-data', 'CUCKOO_OUTBOUND_REFUSED'],
  ['https://user:pass@coordinator.example.org', 'CUCKOO_OUTBOUND_URL_INVALID'],
  ['file:///etc/passwd', 'CUCKOO_OUTBOUND_URL_INVALID'],
  ['gopher://1.1.1.1', 'CUCKOO_OUTBOUND_URL_INVALID'],
  ['not a url', 'CUCKOO_OUTBOUND_URL_INVALID'],
])('%s: %s', (url, code) => {
  expect(codeOf(() => parseOutboundUrl(url))).toBe(code)
})

test('allowPrivate lets http and private addresses pass, never credentials or other protocols', () => {
  expect(parseOutboundUrl('http://127.0.0.1:8080', { allowPrivate: true }).port).toBe('8080')
  expect(codeOf(() => parseOutboundUrl('http://a:b@127.0.0.1', { allowPrivate: true }))).toBe('CUCKOO_OUTBOUND_URL_INVALID')
  expect(codeOf(() => parseOutboundUrl('ftp://127.0.0.1', { allowPrivate: true }))).toBe('CUCKOO_OUTBOUND_URL_INVALID')
})

test('credentials of a URL are in no message', () => {
  for (const url of ['https://user:hunter2@host.example', 'https://user:hunter2@[broken']) {
    expect(() => parseOutboundUrl(url)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }))
  }
})

/** A name that resolves to `answers`, one after another. */
function createRebindingLookup(...answers: string[][]) {
  return createGuardedLookup((_host, _options, callback) => {
    const addresses = (answers.shift() ?? []).map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
    callback(null, addresses)
  })
}

test.each([
  ['a private address', [['127.0.0.1']]],
  ['a private address among public ones', [['1.1.1.1', '127.0.0.1']]],
  ['a mapped private address', [['::ffff:127.0.0.1']]],
  ['nothing', [[]]],
])('a host that resolves to %s gets no connection', async (_name, answers) => {
  let connections = 0
  const listener = createTcpServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as AddressInfo
  const client = createClient({ url: `https://rebind.example:${port}`, lookup: createRebindingLookup(...answers), timeoutMs: 2_000 })
  await expect(client.getHealth({})).rejects.toMatchObject({ code: 'CUCKOO_OUTBOUND_REFUSED', message: expect.stringContaining('rebind.example') })
  await client.close()
  await new Promise((resolve) => {
    listener.close(resolve)
  })
  expect(connections).toBe(0)
})

test('a name that turns private after its first answer gains nothing: the socket takes the address that was looked at', async () => {
  const lookup = createRebindingLookup(['1.1.1.1'], ['127.0.0.1'])
  const resolve = () =>
    new Promise((done) => {
      lookup('rebind.example', { all: true }, (error, addresses) => done(error ?? addresses))
    })
  expect(await resolve()).toEqual([{ address: '1.1.1.1', family: 4 }])
  expect(await resolve()).toMatchObject({ code: 'CUCKOO_OUTBOUND_REFUSED' })
})
