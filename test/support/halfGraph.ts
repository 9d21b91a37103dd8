/** Models in half precision, made from the same models in single precision, so that both can be run and compared. */
import { encodeHalf } from '../../src/inference/halfFloat.ts'
import { editFields, type Field, findNumber, findText, toBytes, toNumber, within } from './protobuf.ts'
import type { Files } from './tinyGraphs.ts'

/** TensorProto.DataType of onnx.proto3 */
const [float, float16] = [1, 10]

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
