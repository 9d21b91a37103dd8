/** Graphs whose numbers are not all finite, made from graphs that compute right ones. */
import { type GraphParts, type Node, toGraphBody } from './onnx.ts'
import { editFields, type Field, toBytes, within } from './protobuf.ts'

/** Nodes that make an output of what it was, `<name>.clean`, and of other tensors of the graph. */
interface Change {
  nodes: (clean: string, output: string) => Node[]
  tensors: NonNullable<GraphParts['tensors']>
}

/** NaN throughout in a run in which a number of the tensor `watched` is above `limit`; else as it was. */
export const nanAbove = (watched: string, limit: number): Change => ({
  nodes: (clean, output) => [
    ['Cast', [watched], ['watched'], { to: 1 }],
    ['ReduceMax', ['watched'], ['most'], { keepdims: 0 }],
    ['Sub', ['limit', 'most'], ['room']],
    ['Log', ['room'], ['log']],
    ['Sub', ['log', 'log'], ['nothing']],
    ['Add', [clean, 'nothing'], [output]],
  ],
  tensors: { limit: { dimensions: [], floats: [limit] } },
})

/** −Infinity where it was `limit` or below; what was above keeps its order. */
export const maskedBelow = (limit: number): Change => ({
  nodes: (clean, output) => [
    ['Sub', [clean, 'limit'], ['rest']],
    ['Relu', ['rest'], ['above']],
    ['Log', ['above'], ['log']],
    ['Add', [clean, 'log'], [output]],
  ],
  tensors: { limit: { dimensions: [], floats: [limit] } },
})

/** `factor` times what it was. */
export const scaledBy = (factor: number): Change => ({
  nodes: (clean, output) => [['Mul', [clean, 'factor'], [output]]],
  tensors: { factor: { dimensions: [], floats: [factor] } },
})

/** An ONNX file of `createGraph` with one output changed. */
export function breakGraph(graph: Buffer, output: string, { nodes, tensors }: Change): Buffer {
  const clean = `${output}.clean`
  // ModelProto.graph = 7, GraphProto.node = 1; NodeProto.output = 2, name = 3
  const toClean = ({ number, bytes }: Field) => toBytes(number, bytes.toString() === output ? Buffer.from(clean) : bytes)
  const rename = within({ 2: toClean, 3: toClean })
  const added = toGraphBody({ inputs: {}, outputs: {}, nodes: nodes(clean, output), tensors })
  return editFields(graph, { 7: ({ bytes }) => toBytes(7, Buffer.concat([editFields(bytes, { 1: rename }), added])) })
}
