import { expect, test } from 'vitest'
import { z } from 'zod'
import { encodeRequest } from '../../../src/api/clientRequest.ts'
import { countJsonParts } from '../../../src/api/jsonParts.ts'
import type { RouteOutput } from '../../../src/api/route.ts'
import { openSession } from '../../../src/api/routes/miner.ts'
import { zeroAddress, zeroHash } from '../../../src/domain/hex.ts'
import type { Manifest } from '../../../src/domain/manifest.ts'

/** The longest manifest that the wire takes. */
function createLongestManifest(files: number): Manifest {
  const large = Number.MAX_SAFE_INTEGER
  return {
    version: 1,
    model: 'm'.repeat(200),
    revision: 'f'.repeat(40),
    kind: 'embedding',
    dtype: 'q4f16',
    files: Array.from({ length: files }, () => ({ path: 'p'.repeat(200), bytes: large, sha256: zeroHash })),
    limits: { contextTokens: 1_048_576, maxOutputTokens: 1_048_576, maxBatch: 2048 },
    chatTemplate: false,
    eosTokenIds: Array.from({ length: 16 }, () => large),
    pooling: 'mean',
    proof: 'none',
  }
}

function encodeHandshake(models: number, files: number): Uint8Array {
  const offer = { manifest: createLongestManifest(files), device: 'd'.repeat(20), unitsPerSecond: 123_456.789_012 }
  const signature = `0x${'f'.repeat(130)}` as const
  return encodeRequest(openSession, {
    body: {
      protocolVersion: 1,
      node: zeroAddress,
      coordinator: zeroAddress,
      publicKey: zeroHash,
      issuedAt: 4_000_000_000,
      nonce: zeroHash,
      signature,
      client: 'c'.repeat(100),
      slots: 64,
      minUnitPriceWei: 2n ** 128n - 1n,
      models: Array.from({ length: models }, () => offer),
    },
  }).body
}

test('as many models with as many files as the handshake takes fit its body', () => {
  expect(encodeHandshake(64, 100).length).toBeLessThanOrEqual(openSession.maxBodyBytes)
})

test.each([
  ['models', 65, 1],
  ['files', 1, 101],
])('one of the %s more is refused by name', (name, models, files) => {
  expect(() => encodeHandshake(models, files)).toThrow(expect.objectContaining({ code: 'CUCKOO_API_REQUEST_INVALID', message: expect.stringContaining(name) }))
})

test.each([
  ['that wants every file', 6_400, 64, 0],
  ['that refuses every model at length', 0, 0, 64],
])('the longest answer to it, %s, fits too', (_name, wanted, prices, refused) => {
  const answer: RouteOutput<typeof openSession> = {
    sessionId: zeroHash,
    coordinator: zeroAddress,
    publicKey: zeroHash,
    signature: `0x${'f'.repeat(130)}`,
    serverTime: 4_000_000_000,
    heartbeatMs: 2 ** 31 - 1,
    leaseMs: 2 ** 31 - 1,
    pollMs: 2 ** 31 - 1,
    wanted: Array(wanted).fill(zeroHash),
    prices: Array(prices).fill({ manifest: zeroHash, unitPriceWei: 2n ** 128n - 1n }),
    refused: Array(refused).fill({ model: 'm'.repeat(200), code: 'c'.repeat(100), message: 'x'.repeat(10_000) }),
  }
  const text = JSON.stringify(z.encode(openSession.response, answer))
  expect(text.length).toBeLessThanOrEqual(openSession.maxResponseBytes)
  const maxParts = openSession.maxResponseBytes / 32
  expect(countJsonParts(text, maxParts)).toBeLessThanOrEqual(maxParts)
})
