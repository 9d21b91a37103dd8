import type { LintFinding } from '../domain/modelCachePort.ts'
import { type ModelKind, taskKindTraits } from '../domain/taskKinds.ts'
import type { OnnxGraph, OnnxOperator } from './onnxGraph.ts'

/** ONNX's own ('' and ml) and those that ONNX Runtime has built in, its own layout of saved graphs included. */
const knownDomains: readonly string[] = ['', 'ai.onnx.ml', 'com.microsoft', 'com.microsoft.nchwc']

/** Operators that draw numbers: onnx 1.20's, and Sampling of com.microsoft. */
const randomTypes = ['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli', 'Sampling']

/** Operators of training; their inputs turn randomness on. */
const trainingTypes = ['BiasDropout', 'BitmaskDropout', 'BitmaskBiasDropout', 'DropoutGrad']

/** They load compiled code, or a file that an attribute names and no hash covers. */
const foreignCodeTypes = ['EPContext', 'TRT_EngineOp', 'PyOp']

/** The largest exported language models have some 100,000 nodes. */
const maxNodes = 500_000
const maxDepth = 12
/** Loops of exported models count layers, heads or characters. */
const maxTrips = 100_000

/** ONNX Runtime takes this location for an address in memory (kTensorProtoMemoryAddressTag, onnxruntime 1.20). */
const memoryAddressTag = '_ORT_MEM_ADDR_'

/**
 * What is wrong with a model's graphs, by ONNX file: random operators, loops whose end the file does not fix, operators of
 * domains that the runtime does not have, compiled code, graphs that are too large or too deep. Subgraphs and the file's own
 * functions count. Random operators are a warning where results of the kind are never screened, as of speech. Paths of external
 * data are asserted where the files are found ({@link findModelFile}).
 */
export function lintModel(kind: ModelKind, graphs: ReadonlyMap<string, OnnxGraph>): LintFinding[] {
  const isScreened = Object.values(taskKindTraits).some(({ modelKind, audit }) => modelKind === kind && audit !== null)
  return [...graphs].flatMap(([file, graph]) => [
    ...lintOperators(graph, isScreened).map((finding) => ({ ...finding, file })),
    ...lintControls(graph).map((finding) => ({ ...finding, file })),
    ...lintSize(graph).map((finding) => ({ ...finding, file })),
  ])
}

type Finding = Omit<LintFinding, 'file'>

function lintOperators({ operators, functions, externalData }: OnnxGraph, isScreened: boolean): Finding[] {
  const findings: Finding[] = []
  const own = new Set(functions)
  for (const operator of operators) {
    if (!knownDomains.includes(operator.domain)) {
      if (own.has(`${operator.domain}:${operator.type}`)) continue
      findings.push({ severity: 'error', rule: 'domain', problem: `the runtime does not have ${describe(operator)} of ${quote(operator.domain)}` })
    } else if (foreignCodeTypes.includes(operator.type)) {
      findings.push({ severity: 'error', rule: 'domain', problem: `${describe(operator)} loads compiled code` })
    } else if (randomTypes.includes(operator.type)) {
      const problem = `${describe(operator)} draws random numbers, so no second run gives the same`
      findings.push({ severity: isScreened ? 'error' : 'warning', rule: 'random', problem })
    } else if (trainingTypes.includes(operator.type)) {
      findings.push({ severity: 'error', rule: 'random', problem: `${describe(operator)} belongs to training` })
    }
  }
  for (const location of externalData.filter((name) => name.includes(memoryAddressTag)))
    findings.push({ severity: 'error', rule: 'external', problem: `weights at ${quote(location)} are an address in memory` })
  return findings
}

function lintControls({ controls }: OnnxGraph): Finding[] {
  return controls.flatMap(({ type, node, value }): Finding[] => {
    if (type === 'Dropout') {
      return value === 0 ? [] : [{ severity: 'error', rule: 'random', problem: `Dropout ${quote(node)} may run in training mode` }]
    }
    if (value !== null && value >= 0 && value <= maxTrips) return []
    const problem = value === null ? 'has no fixed number of rounds' : `runs ${value} rounds, at most ${maxTrips} are taken`
    return [{ severity: 'error', rule: 'loop', problem: `Loop ${quote(node)} ${problem}` }]
  })
}

function lintSize(graph: OnnxGraph): Finding[] {
  const nodes = countNodes(graph)
  const problems = [
    ...(graph.depth > maxDepth ? [`subgraphs lie ${graph.depth} deep, at most ${maxDepth} are taken`] : []),
    ...(nodes === null ? ['its functions call each other in a circle'] : []),
    ...(nodes !== null && nodes > maxNodes ? [`it has ${nodes} nodes, at most ${maxNodes} are taken`] : []),
  ]
  return problems.map((problem) => ({ severity: 'error', rule: 'size', problem }))
}

/** Nodes once every call of the file's own functions is written out, as the runtime does; null when they never end. */
function countNodes({ operators, functions }: OnnxGraph): number | null {
  const own = new Set(functions)
  const bodies = Map.groupBy(operators, ({ within }) => within)
  const counts = new Map<string, number | null>()
  const countIn = (within: string | null): number | null => {
    let sum = 0
    for (const operator of bodies.get(within) ?? []) {
      const name = `${operator.domain}:${operator.type}`
      const each = own.has(name) ? countCall(name) : 1
      if (each === null) return null
      sum += operator.count * each
    }
    return sum
  }
  const countCall = (name: string): number | null => {
    const known = counts.get(name)
    if (known !== undefined) return known
    // What is asked again before it is answered is a circle.
    counts.set(name, null)
    const count = countIn(name)
    counts.set(name, count)
    return count
  }
  return countIn(null)
}

function describe({ type, node, count }: OnnxOperator): string {
  return `${quote(type)} (${quote(node)}${count > 1 ? ` and ${count - 1} more` : ''})`
}

/** Names of strangers, on one line and short. */
function quote(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain
}
