import { type FileHandle, open } from 'node:fs/promises'
import { modelFileInvalid } from '../errors/inference.ts'

/** Nodes of one type in one place of an ONNX file. */
export interface OnnxOperator {
  /** '' is ONNX's own, which some files spell ai.onnx */
  domain: string
  type: string
  count: number
  /** the first of them, by name or first output */
  node: string
  /** `domain:name` of the file's own function whose body they stand in; null for graphs and their subgraphs */
  within: string | null
}

/** A node whose behaviour hangs on a number: the trip count of a Loop, the training mode of a Dropout. */
export interface OnnxControl {
  type: 'Loop' | 'Dropout'
  node: string
  /** null where the file does not fix it; a Dropout without the input has 0 */
  value: number | null
}

/** What we must know of an ONNX file before the runtime sees it. */
export interface OnnxGraph {
  inputs: string[]
  /** sizes of each input, null where one is free; parallel to `inputs` */
  inputShapes: (number | null)[][]
  outputs: string[]
  /** files beside it that hold weights, as the graph names them */
  externalData: string[]
  operators: OnnxOperator[]
  controls: OnnxControl[]
  /** `domain:name` of the functions that the file itself defines */
  functions: string[]
  /** the deepest subgraph in a subgraph */
  depth: number
}

// Message types of onnx.proto3 (onnx 1.20) that lead to names, operators and external data, by field number. Everything else is skipped.
const schema = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 11: 'input', 12: 'output', 15: 'sparse' },
  subgraph: { 1: 'node', 5: 'tensor', 11: 'value', 15: 'sparse' },
  function: { 1: 'text', 4: 'text', 7: 'node', 10: 'text', 11: 'attribute' },
  node: { 1: 'text', 2: 'text', 3: 'text', 4: 'text', 5: 'attribute', 7: 'text' },
  attribute: { 1: 'text', 3: 'number', 5: 'tensor', 6: 'subgraph', 10: 'tensor', 11: 'subgraph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 2: 'number', 5: 'numbers', 7: 'numbers', 8: 'text', 9: 'bytes', 13: 'entry' },
  input: { 1: 'text', 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dimension' },
  dimension: { 1: 'number' },
  output: { 1: 'text' },
  value: { 1: 'text' },
  entry: { 1: 'text', 2: 'text' },
} as const satisfies Record<string, Record<number, string>>
type MessageType = keyof typeof schema
type FieldType = MessageType | 'text' | 'number' | 'numbers' | 'bytes'

/** More fields than the largest graphs have; a file that goes on beyond is made to keep us busy. */
const maxFields = 20_000_000
/** What all names may take; the largest graphs, of a hundred thousand nodes, have some 20 MB. */
const maxTextBytes = 256 * 2 ** 20
/** What a text takes in memory beside its bytes: a header and its places in lists. */
const textOverheadBytes = 32
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

  async getBytes(bytes: number): Promise<Buffer> {
    await this.load(bytes)
    const start = this.position - this.#chunkStart
    this.position += bytes
    return this.#chunk.subarray(start, start + bytes)
  }

  async getText(bytes: number): Promise<string> {
    if (bytes > 4096) throw new RangeError('it holds a name that is too long')
    return (await this.getBytes(bytes)).toString('utf8')
  }
}

/**
 * Inputs, outputs, operators and external data files of the ONNX file at `path`, read without loading its weights.
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

/** A message that is being read. */
interface Message {
  type: MessageType
  end: number
  /** text fields by number */
  texts: Map<number, string[]>
  /** field 2 of a tensor (its element type), field 3 of an attribute, field 1 of a dimension */
  number: number | null
  /** the numbers that a tensor or attribute holds, NaN for more or other content than one number; the sizes of a shape, NaN for free ones */
  scalars: number[]
}

function toMessage(type: MessageType, end: number): Message {
  return { type, end, texts: new Map(), number: null, scalars: [] }
}

function addText({ texts }: Message, field: number, text: string): void {
  const known = texts.get(field)
  if (known === undefined) texts.set(field, [text])
  else known.push(text)
}

async function readGraph(cursor: Cursor): Promise<OnnxGraph> {
  const collector = createCollector()
  const stack = [toMessage('model', cursor.size)]
  let textBytes = 0
  for (let fields = 0; stack.length > 0; fields++) {
    const message = stack.at(-1) as Message
    if (cursor.position >= message.end) {
      stack.pop()
      collector.close(message, stack)
      continue
    }
    if (fields > maxFields || stack.length > 100) throw new RangeError('its graph is too large or too deep')
    const tag = await cursor.getVarint()
    const [field, wireType] = [Math.floor(tag / 8), tag % 8]
    const type = (schema[message.type] as Record<number, FieldType>)[field]
    if (wireType === 0) {
      const value = await cursor.getVarint()
      if (type === 'number') message.number = value
      if (type === 'numbers') message.scalars.push(value)
      continue
    }
    const bytes = await getFieldBytes(cursor, wireType)
    if (cursor.position + bytes > message.end) throw new RangeError('it ends in the middle, or is no ONNX file')
    if (wireType !== 2 || type === undefined || type === 'number') cursor.position += bytes
    else if (type === 'text') {
      textBytes += bytes + textOverheadBytes
      if (textBytes > maxTextBytes) throw new RangeError('its graph is too large: its names take more than 256 MiB')
      addText(message, field, await cursor.getText(bytes))
    } else if (type === 'numbers' || type === 'bytes') {
      const content = bytes > 10 ? null : await cursor.getBytes(bytes)
      if (content === null) cursor.position += bytes
      message.scalars.push(content === null ? Number.NaN : type === 'bytes' ? toScalar(content) : toPackedScalar(content))
    } else {
      collector.open(type, stack)
      stack.push(toMessage(type, cursor.position + bytes))
    }
  }
  return collector.toGraph()
}

/** One little-endian number of 1, 4 or 8 bytes: a bool, int32 or int64. */
function toScalar(raw: Buffer): number {
  if (raw.length === 1) return raw.readUInt8(0)
  if (raw.length === 4) return raw.readInt32LE(0)
  return raw.length === 8 ? Number(raw.readBigInt64LE(0)) : Number.NaN
}

/** The number of a packed list that has exactly one. */
function toPackedScalar(packed: Buffer): number {
  if (packed.findIndex((byte) => byte < 0x80) !== packed.length - 1) return Number.NaN
  return packed.reduce((value, byte, index) => value + (byte & 0x7f) * 2 ** (7 * index), 0)
}

/** Bytes of a field's content after its tag, by protobuf wire type. */
async function getFieldBytes(cursor: Cursor, wireType: number): Promise<number> {
  if (wireType === 1) return 8
  if (wireType === 5) return 4
  if (wireType === 2) return cursor.getVarint()
  throw new RangeError('it is not an ONNX file')
}

/** Element types of onnx.proto3 that control nodes: int64 and bool. */
const scalarTypes: readonly (number | null)[] = [7, 9]

function findScalar({ scalars }: Message): number | null {
  const [first] = scalars
  return scalars.length === 1 && first !== undefined && !Number.isNaN(first) ? first : null
}

/** Puts together what messages say, as they end. */
function createCollector() {
  const graph = { inputs: [] as string[], inputShapes: [] as (number | null)[][], outputs: [] as string[], externalData: new Set<string>(), depth: 0 }
  const operators = new Map<string, OnnxOperator & { body: number | null }>()
  const controls: { type: OnnxControl['type']; node: string; input: string | undefined }[] = []
  /** names of values: a number where exactly one constant has the name, null for everything else */
  const values = new Map<string, number | null>()
  const functions: string[] = []
  let body: number | null = null
  const define = (name: string | undefined, value: number | null) => {
    if (name !== undefined && name !== '') values.set(name, values.has(name) ? null : value)
  }
  const closeNode = (message: Message) => {
    const { texts } = message
    const [inputs, outputs] = [texts.get(1) ?? [], texts.get(2) ?? []]
    const type = texts.get(4)?.at(-1) ?? ''
    const domain = toDomain(texts.get(7)?.at(-1) ?? '')
    const node = texts.get(3)?.at(-1) || outputs[0] || type
    const key = JSON.stringify([body, domain, type])
    const known = operators.get(key)
    if (known === undefined) operators.set(key, { domain, type, count: 1, node, within: null, body })
    else known.count++
    if (type === 'Loop') controls.push({ type, node, input: inputs[0] ?? '' })
    if (type === 'Dropout') controls.push({ type, node, input: inputs[2] === '' ? undefined : inputs[2] })
    for (const output of outputs) define(output, type === 'Constant' && domain === '' ? findScalar(message) : null)
  }
  return {
    open: (type: MessageType, stack: readonly Message[]) => {
      if (type === 'function') body = functions.length
      if (type === 'subgraph') graph.depth = Math.max(graph.depth, 1 + stack.filter((message) => message.type === 'subgraph').length)
    },
    close: (message: Message, stack: readonly Message[]) => {
      const { type, texts } = message
      const [parent, name] = [stack.at(-1), texts.get(1)?.at(-1)]
      if (type === 'node') closeNode(message)
      if (type === 'input') {
        graph.inputs.push(name ?? '')
        graph.inputShapes.push(message.scalars.map((size) => (Number.isNaN(size) ? null : size)))
      }
      if (type === 'dimension' && parent !== undefined) parent.scalars.push(message.number ?? Number.NaN)
      if ((type === 'shape' || type === 'tensorType' || type === 'type') && parent !== undefined) parent.scalars = message.scalars
      if (type === 'output') graph.outputs.push(name ?? '')
      if (type === 'input' || type === 'value') define(name, null)
      if (type === 'entry' && name === 'location') graph.externalData.add(texts.get(2)?.at(-1) ?? '')
      if (type === 'tensor' && parent !== undefined) {
        const value = scalarTypes.includes(message.number) ? findScalar(message) : null
        if (parent.type === 'attribute') parent.scalars.push(value ?? Number.NaN)
        else if (parent.type !== 'sparse') define(texts.get(8)?.at(-1), value)
      }
      if (type === 'attribute' && parent?.type === 'node' && name === 'value') parent.scalars.push(findScalar(message) ?? Number.NaN)
      if (type === 'attribute' && parent?.type === 'node' && name === 'value_int') parent.scalars.push(message.number ?? Number.NaN)
      if (type === 'function') {
        for (const input of texts.get(4) ?? []) define(input, null)
        functions.push(`${toDomain(texts.get(10)?.at(-1) ?? '')}:${name ?? ''}`)
        body = null
      }
    },
    toGraph: (): OnnxGraph => ({
      ...graph,
      externalData: [...graph.externalData],
      operators: [...operators.values()].map(({ body, ...operator }) => ({ ...operator, within: body === null ? null : (functions[body] ?? null) })),
      controls: controls.map(({ type, node, input }) => ({ type, node, value: input === undefined ? 0 : (values.get(input) ?? null) })),
      functions,
    }),
  }
}

function toDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}
