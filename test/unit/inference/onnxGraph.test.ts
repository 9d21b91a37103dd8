import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CuckooError } from '../../../src/errors/cuckooError.ts'
import { readOnnxGraph } from '../../../src/inference/onnxGraph.ts'
import { createTableGraph, table, tableColumns } from '../../support/onnx.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cuckoo-onnx-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (content: Uint8Array) => {
  const path = join(folder, 'model.onnx')
  writeFileSync(path, content)
  return readOnnxGraph(path, { model: 'a/b', file: 'onnx/model.onnx' })
}
const graph = createTableGraph({ table, columns: tableColumns, output: 'logits' })

describe('readOnnxGraph', () => {
  it('names inputs and outputs, and skips weights of any size', async () => {
    expect(await read(graph)).toMatchObject({ inputs: ['input_ids'], outputs: ['logits'], externalData: [], functions: [], controls: [], depth: 0 })
    const large = createTableGraph({ table: new Float32Array(1_000_000), columns: 4, output: 'last_hidden_state' })
    expect((await read(large)).outputs).toEqual(['last_hidden_state'])
  })

  it('names external data', async () => {
    expect((await read(createTableGraph({ table, columns: tableColumns, output: 'x', externalData: '../../secret' }))).externalData).toEqual(['../../secret'])
  })

  it('refuses every truncation', async () => {
    for (let length = 0; length < graph.length - 4; length += 3) {
      // The last field (opset) may be cut whole: what is left is a graph still.
      const cut = await read(graph.subarray(0, length)).then(
        () => null,
        (error: unknown) => error,
      )
      expect(cut, `${length} of ${graph.length} bytes`).toMatchObject({ code: 'CUCKOO_MODEL_FILE_INVALID' })
    }
  })

  it('refuses names that take more than 256 MiB together', { timeout: 60_000 }, async () => {
    // One node with inputs of 4,096 bytes: a text field has 3 bytes before them, and counts 32 more.
    const name = Buffer.concat([Buffer.from([0x0a, 0x80, 0x20]), Buffer.alloc(4_096, 'x')])
    const names = Math.floor(2 ** 28 / (4_096 + 32)) + 1
    const length = (bytes: number) => Buffer.from([...[0, 7, 14, 21].map((bits) => ((bytes >> bits) & 127) | 128), bytes >> 28])
    const nodeBytes = names * name.length
    const path = join(folder, 'names.onnx')
    const file = openSync(path, 'w')
    writeSync(file, Buffer.concat([Buffer.from([0x3a]), length(nodeBytes + 6), Buffer.from([0x0a]), length(nodeBytes)]))
    const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => name))
    for (let left = names; left > 0; left -= 1_000) writeSync(file, thousand, 0, Math.min(left, 1_000) * name.length)
    closeSync(file)
    await expect(readOnnxGraph(path, { model: 'a/b', file: 'onnx/model.onnx' })).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_INVALID', message: expect.stringContaining('more than 256 MiB') }),
    )
    rmSync(path)
  })

  it('answers garbage with a coded error or a graph, never with anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(graph.length), async (noise, at) => {
        const mixed = Buffer.concat([graph.subarray(0, at), noise, graph.subarray(at)])
        const error = await read(mixed).then(
          () => null,
          (reason: unknown) => reason,
        )
        expect(error === null || error instanceof CuckooError).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
