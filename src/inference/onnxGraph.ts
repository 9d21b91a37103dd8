import { type FileHandle, open } from 'node:fs/promises'
import { modelFileInvalid } from '../errors/inference.ts'

/** What we must know of an ONNX file before the runtime sees it. */
export interface OnnxGraph {
  inputs: string[]
  outputs: string[]
  /** files beside it that hold weights, as the graph names them */
  externalData: string[]
}

// Message types of onnx.proto3 (onnx 1.20) that lead to names and external data, by field number. Everything else is skipped.
const schema = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 11: 'input', 12: 'output', 15: 'sparse' },
  subgraph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'subgraph', 10: 'tensor', 11: 'subgraph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  input: { 1: 'text' },
  output: { 1: 'text' },
  entry: { 1: 'text', 2: 'text' },
} as const satisfies Record<string, Record<number, string>>
type MessageType = keyof typeof schema

/** More fields than the largest graphs have; a file that goes on beyond is made to keep us busy. */
const maxFields = 20_000_000
const chunkBytes = 2 ** 20

/** Reads a file front to back with skips, a megabyte at a time. */
class Cursor {
  position = 0
  #chunk = Buffer.alloc(0)
  #chunkStart = 0
  readonly #handle: FileHandle
  readonly size: number

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle
    this.size = size
  }

  async load(bytes: number): Promise<void> {
    if (this.position + bytes > this.size) throw new RangeError('it ends in the middle')
    if (this.position >= this.#chunkStart && this.position + bytes <= this.#chunkStart + this.#chunk.length) return
    const chunk = Buffer.alloc(Math.min(Math.max(chunkBytes, bytes), this.size - this.position))
    const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.position)
    this.#chunk = chunk.subarray(0, bytesRead)
    this.#chunkStart = this.position
    if (bytesRead < bytes) throw new RangeError('it ends in the middle')
  }

  /** A base-128 number, or null when the chunk must be loaded first. */
  readVarint(): number | null {
    let value = 0
    for (let index = 0; index < 10; index++) {
      const offset = this.position - this.#chunkStart + index
      if (offset < 0 || offset >= this.#chunk.length) return null
      const byte = this.#chunk[offset] as number
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) {
        this.position += index + 1
        return value
      }
    }
    throw new RangeError('it holds a number that is too long')
  }

  async getVarint(): Promise<number> {
    const value = this.readVarint()
    if (value !== null) return value
    await this.load(Math.min(10, Math.max(1, this.size - this.position)))
    const loaded = this.readVarint()
    if (loaded === null) throw new RangeError('it ends in the middle')
    return loaded
  }

  async getText(bytes: number): Promise<string> {
    if (bytes > 4096) throw new RangeError('it holds a name that is too long')
    await this.load(bytes)
    const start = this.position - this.#chunkStart
    this.position += bytes
    return this.#chunk.toString('utf8', start, start + bytes)
  }
}

/**
 * Inputs, outputs and external data files of the ONNX file at `path`, read without loading its weights.
 * @throws CUCKOO_MODEL_FILE_INVALID when it is truncated or no ONNX graph
 */
export async function readOnnxGraph(path: string, names: { model: string; file: string }): Promise<OnnxGraph> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const graph = await readGraph(new Cursor(handle, size))
    if (graph.outputs.length === 0) throw new RangeError('it is not an ONNX graph with outputs')
    return graph
  } catch (error) {
    if (error instanceof RangeError) throw modelFileInvalid({ ...names, problem: error.message }, { cause: error })
    throw error
  } finally {
    await handle.close()
  }
}

async function readGraph(cursor: Cursor): Promise<OnnxGraph> {
  const inputs: string[] = []
  const outputs: string[] = []
  const externalData = new Set<string>()
  const open: { type: MessageType; end: number; key: string; value: string }[] = [{ type: 'model', end: cursor.size, key: '', value: '' }]
  for (let fields = 0; open.length > 0; fields++) {
    const message = open.at(-1) as (typeof open)[number]
    if (cursor.position >= message.end) {
      if (message.type === 'input') inputs.push(message.key)
      if (message.type === 'output') outputs.push(message.key)
      if (message.type === 'entry' && message.key === 'location') externalData.add(message.value)
      open.pop()
      continue
    }
    if (fields > maxFields || open.length > 100) throw new RangeError('its graph is too large or too deep')
    const tag = await cursor.getVarint()
    const field = Math.floor(tag / 8)
    const bytes = await getFieldBytes(cursor, tag % 8)
    if (cursor.position + bytes > message.end) throw new RangeError('it ends in the middle, or is no ONNX file')
    const type = tag % 8 === 2 ? (schema[message.type] as Record<number, MessageType | 'text'>)[field] : undefined
    if (type === undefined) cursor.position += bytes
    else if (type === 'text') message[field === 1 ? 'key' : 'value'] = await cursor.getText(bytes)
    else open.push({ type, end: cursor.position + bytes, key: '', value: '' })
  }
  return { inputs, outputs, externalData: [...externalData] }
}

/** Bytes of a field's content after its tag, by protobuf wire type; a varint is read past. */
async function getFieldBytes(cursor: Cursor, wireType: number): Promise<number> {
  if (wireType === 0) {
    await cursor.getVarint()
    return 0
  }
  if (wireType === 1) return 8
  if (wireType === 5) return 4
  if (wireType === 2) return cursor.getVarint()
  throw new RangeError('it is not an ONNX file')
}
