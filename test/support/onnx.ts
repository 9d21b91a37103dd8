/**
 * Small real ONNX files, written field by field (onnx.proto3), so that tests need no model of anybody else.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128)
  return Buffer.from([...bytes, value])
}
const number = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)])
const bytes = (field: number, ...content: (Buffer | string)[]) => {
  const body = Buffer.concat(content.map((part) => Buffer.from(part as string)))
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body])
}

const elementTypes = { float: 1, int32: 6, int64: 7, bool: 9, float16: 10 } as const

/** A graph input or output with symbolic dimensions. */
function valueInfo(field: number, name: string, type: keyof typeof elementTypes, dimensions: Dimensions): Buffer {
  const shape = dimensions.map((size) => bytes(1, typeof size === 'number' ? number(1, size) : bytes(2, size)))
  return bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, elementTypes[type]), bytes(2, ...shape))))
}

type Dimensions = (string | number)[]
type Attribute = number | number[] | string | { float: number } | { graph: GraphParts }
export type Node = [operator: string, inputs: string[], outputs: string[], attributes?: Record<string, Attribute>]
/** What kind of graph the builder below writes; names of inputs, outputs and tensors are keys. */
export interface GraphParts {
  inputs: Record<string, [type: keyof typeof elementTypes, dimensions: Dimensions]>
  outputs: Record<string, [type: keyof typeof elementTypes, dimensions: Dimensions]>
  /** operator (`domain::type` of domains but ONNX's own), inputs, outputs, attributes (whole numbers are ints, `{ float }` is a float) */
  nodes: Node[]
  tensors?: Record<string, { dimensions: number[]; floats?: ArrayLike<number>; int64s?: number[]; bools?: boolean[] }>
  /** functions of the file's own, by `domain::type` */
  functions?: Record<string, { inputs: string[]; outputs: string[]; nodes: Node[] }>
}

/** AttributeProto of onnx.proto3: f = 2, i = 3, s = 4, ints = 8; their type numbers are 1, 2, 3 and 7. */
function attribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') return bytes(5, bytes(1, name), number(3, value), number(20, 2))
  if (typeof value === 'string') return bytes(5, bytes(1, name), bytes(4, value), number(20, 3))
  if (Array.isArray(value)) return bytes(5, bytes(1, name), ...value.map((item) => number(8, item)), number(20, 7))
  if ('graph' in value) return bytes(5, bytes(1, name), bytes(6, toGraphBody(value.graph)), number(20, 5))
  const raw = Buffer.alloc(4)
  raw.writeFloatLE(value.float)
  return bytes(5, bytes(1, name), Buffer.concat([varint(2 * 8 + 5), raw]), number(20, 1))
}

/** `domain::type` as two fields. */
function splitName(name: string): [domain: string, type: string] {
  const [first = '', second] = name.split('::')
  return second === undefined ? ['', first] : [first, second]
}

/** A NodeProto as field 1 of a graph or 7 of a function. */
function toNode(field: number, [operator, from, to, attributes = {}]: Node): Buffer {
  const [domain, type] = splitName(operator)
  const names = [...from.map((name) => bytes(1, name)), ...to.map((name) => bytes(2, name)), bytes(3, to.join())]
  const values = Object.entries(attributes).map(([name, value]) => attribute(name, value))
  return bytes(field, ...names, bytes(4, type), ...values, ...(domain === '' ? [] : [bytes(7, domain)]))
}

/** A GraphProto. */
export function toGraphBody({ inputs, outputs, nodes, tensors = {} }: GraphParts): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => toNode(1, node)),
    bytes(2, 'test'),
    ...Object.entries(tensors).map(([name, { dimensions, floats, int64s, bools }]) => {
      const values =
        int64s !== undefined ? BigInt64Array.from(int64s, BigInt) : bools !== undefined ? Uint8Array.from(bools, Number) : Float32Array.from(floats ?? [])
      const type = int64s !== undefined ? 'int64' : bools !== undefined ? 'bool' : 'float'
      const raw = Buffer.from(values.buffer)
      return bytes(5, ...dimensions.map((size) => number(1, size)), number(2, elementTypes[type]), bytes(8, name), bytes(9, raw))
    }),
    ...Object.entries(inputs).map(([name, [type, dimensions]]) => valueInfo(11, name, type, dimensions)),
    ...Object.entries(outputs).map(([name, [type, dimensions]]) => valueInfo(12, name, type, dimensions)),
  ])
}

/** An ONNX file of operator set 17. Negative ints are not written: give them as int64 tensors. */
export function createGraph(parts: GraphParts): Buffer {
  const functions = Object.entries(parts.functions ?? {})
  const own = functions.map(([name, { inputs, outputs, nodes }]) => {
    const [domain, type] = splitName(name)
    const names = [...inputs.map((input) => bytes(4, input)), ...outputs.map((output) => bytes(5, output))]
    return bytes(25, bytes(1, type), ...names, ...nodes.map((node) => toNode(7, node)), bytes(9, number(2, 17)), bytes(10, domain))
  })
  const domains = new Set([...parts.nodes.map(([operator]) => operator), ...functions.map(([name]) => name)].map((name) => splitName(name)[0]))
  const imports = [...domains].filter((domain) => domain !== '').map((domain) => bytes(8, bytes(1, domain), number(2, 1)))
  return Buffer.concat([number(1, 8), bytes(7, toGraphBody(parts)), ...own, bytes(8, number(2, 17)), ...imports])
}

export interface TableGraph {
  /** rows × columns */
  table: Float32Array
  columns: number
  output: string
  /** name of a file beside the graph that holds the table */
  externalData?: string
}

/**
 * An ONNX file whose output[1, n, columns] is the table's row of each of `input_ids`[1, n]: a model whose every vector is known.
 */
export function createTableGraph({ table, columns, output, externalData }: TableGraph): Buffer {
  const rows = table.length / columns
  const raw = Buffer.from(table.buffer, table.byteOffset, table.byteLength)
  const data = externalData === undefined ? [bytes(9, raw)] : [bytes(13, bytes(1, 'location'), bytes(2, externalData)), number(14, 1)]
  const tensor = bytes(5, number(1, rows), number(1, columns), number(2, 1), bytes(8, 'table'), ...data)
  const node = bytes(1, bytes(1, 'table'), bytes(1, 'input_ids'), bytes(2, output), bytes(4, 'Gather'))
  const graph = bytes(
    7,
    node,
    bytes(2, 'table lookup'),
    tensor,
    valueInfo(11, 'input_ids', 'int64', ['batch', 'n']),
    valueInfo(12, output, 'float', ['batch', 'n', columns]),
  )
  return Buffer.concat([number(1, 8), graph, bytes(8, number(2, 13))])
}

/** A word-level tokenizer of `words`, which have ids 0, 1, …; the last word stands for unknown ones. */
function createWordTokenizer(words: string[]): object {
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: words.at(-1),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  }
}

/** Writes files, given as text, bytes or JSON values, under `folder`. */
export function writeModelFiles(folder: string, files: Record<string, Buffer | string | object>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  }
}

export const tableColumns = 4
/** Row i of the table is [i, i², 1, -i] / 8. */
export const table = Float32Array.from({ length: 6 * tableColumns }, (_, index) => {
  const row = Math.floor(index / tableColumns)
  return ([row, row * row, 1, -row][index % tableColumns] as number) / 8
})

/** An embedding model of six words whose vectors are the rows of {@link table}. */
export function toEmbeddingModelFiles(): Record<string, Buffer | string | object> {
  return {
    'config.json': { architectures: ['BertModel'], model_type: 'bert', vocab_size: 6, max_position_embeddings: 16 },
    'tokenizer.json': createWordTokenizer(['one', 'two', 'three', 'four', 'five', '[UNK]']),
    'tokenizer_config.json': { unk_token: '[UNK]', model_max_length: 12, tokenizer_class: 'BertTokenizer' },
    'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state' }),
  }
}
