/**
 * `cuckoo miner start …` with a dishonest engine: the first token of every text is another than the model's. Everything else is
 * the real program: it signs what it made up and is paid for it, until somebody checks.
 */
import { compose } from '../../src/cli/compose.ts'
import { main } from '../../src/cli/main.ts'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'

/** Two ids of ordinary words: one of them is not what the model says. */
const [lie, otherLie] = [200, 201] as const

function falsify(tokenIds: number[], position: number): number[] {
  return tokenIds.map((id, index) => (position + index > 0 ? id : id === lie ? otherLie : lie))
}

function wrapModel(model: OpenModel): OpenModel {
  const generateText: OpenModel['generateText'] = async (input, params, seed, hooks = {}) => {
    let position = 0
    const onTokens = (tokenIds: number[]) => {
      hooks.onTokens?.(falsify(tokenIds, position))
      position += tokenIds.length
    }
    const run = await model.generateText(input, params, seed, { ...hooks, onTokens })
    return { ...run, output: { ...run.output, tokenIds: falsify(run.output.tokenIds, 0) } }
  }
  return new Proxy(model, {
    get: (target, name) => (name === 'generateText' ? generateText : bind(target, name)),
  })
}

/** Methods see the object that they belong to, private fields included. */
function bind<T extends object>(target: T, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target)
  return typeof value === 'function' ? value.bind(target) : value
}

function wrapEngine(engine: Engine): Engine {
  const openModel: Engine['openModel'] = async (request) => wrapModel(await engine.openModel(request))
  return new Proxy(engine, { get: (target, name) => (name === 'openModel' ? openModel : bind(target, name)) })
}

process.exitCode = await main(process.argv.slice(2), { compose: (options) => compose(options, { wrapEngine }) })
