/** Models in half precision, made from the same models in single precision, so that both can be run and compared. */
import { encodeHalf } from '../../src/inference/halfFloat.ts'
import type { Files } from './tinyGraphs.ts'

/** A field of a protobuf message: a varint, or the bytes of wire types 2 and 5. */
interface Field {
  number: number
  wire: number
  value: number
  bytes: Buffer
}
/** What becomes of fields, by number; the others stay. */
type Edits = Record<number, (field: Field) => Buffer>

/** TensorProto.DataType of onnx.proto3 */
const [float, float16] = [1, 10]

function toVarint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}
const toNumber = (number: number, value: number) => Buffer.concat([toVarint(number * 8), toVarint(value)])
const toBytes = (number: number, bytes: Buffer) => Buffer.concat([toVarint(number * 8 + 2), toVarint(bytes.length), bytes])

function readFields(message: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const readVarint = () => {
    let [value, scale, byte] = [0, 1, 128]
    for (; byte >= 128; scale *= 128) {
      byte = message[at++] as number
      value += (byte % 128) * scale
    }
    return value
  }
  while (at < message.length) {
    const tag = readVarint()
    const wire = tag % 8
    const value = wire === 5 ? 4 : readVarint()
    const length = wire === 0 ? 0 : value
    fields.push({ number: Math.floor(tag / 8), wire, value, bytes: message.subarray(at, at + length) })
    at += length
  }
  return fields
}

function editFields(message: Buffer, edits: Edits): Buffer {
  return Buffer.concat(
    readFields(message).map((field) => {
      const { number, wire, value, bytes } = field
      const edit = edits[number]
      if (edit !== undefined) return edit(field)
      if (wire === 0) return toNumber(number, value)
      return wire === 5 ? Buffer.concat([toVarint(number * 8 + 5), bytes]) : toBytes(number, bytes)
    }),
  )
}

/** The edit of a message within a message. */
const within = (edits: Edits) => (field: Field) => toBytes(field.number, editFields(field.bytes, edits))
const findText = (message: Buffer, number: number) =>
  readFields(message)
    .find((field) => field.number === number)
    ?.bytes.toString() ?? ''
const findNumber = (message: Buffer, number: number) => readFields(message).find((field) => field.number === number)?.value

/** ValueInfoProto.type.tensor_type.elem_type */
const toHalfType = within({ 2: within({ 1: within({ 1: ({ value }) => toNumber(1, value === float ? float16 : value) }) }) })

/** An initializer of floats: data_type = 2, name = 8, raw_data = 9. */
function toHalfTensor(field: Field, keep: readonly string[]): Buffer {
  const { bytes, number } = field
  if (findNumber(bytes, 2) !== float || keep.includes(findText(bytes, 8))) return toBytes(number, bytes)
  const toHalves = (raw: Buffer) => Buffer.from(encodeHalf(Float32Array.from({ length: raw.length / 4 }, (_, index) => raw.readFloatLE(index * 4))).buffer)
  return within({ 2: () => toNumber(2, float16), 9: (raw) => toBytes(9, toHalves(raw.bytes)) })(field)
}

/** A node: op_type = 4, attribute = 5, in which name = 1 and i = 3. What is cast to float is cast to half. */
function toHalfNode(field: Field): Buffer {
  if (findText(field.bytes, 4) !== 'Cast') return toBytes(field.number, field.bytes)
  return within({ 5: within({ 3: ({ value }) => toNumber(3, value === float ? float16 : value) }) })(field)
}

/**
 * An ONNX file of `createGraph` with every float16 in the place of a float: inputs, outputs, weights, casts. As converters write it
 * with `keep_io_types=False`. `keep` names tensors that an operator wants as floats.
 */
export function toHalfGraph(graph: Buffer, keep: readonly string[] = []): Buffer {
  return editFields(graph, { 7: within({ 1: toHalfNode, 5: (field) => toHalfTensor(field, keep), 11: toHalfType, 12: toHalfType }) })
}

/** The files of a model with its graphs in half precision under the names of that dtype. */
export function toHalfModelFiles(files: Files, options: { dtype?: 'fp16' | 'q4f16'; keep?: readonly string[] } = {}): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => {
      if (!path.endsWith('.onnx')) return [path, content]
      return [path.replace(/\.onnx$/, `_${options.dtype ?? 'fp16'}.onnx`), toHalfGraph(content as Buffer, options.keep)]
    }),
  )
}
