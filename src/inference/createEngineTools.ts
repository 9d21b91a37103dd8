import type { Engine } from '../domain/enginePort.ts'
import type { EngineTools } from '../domain/engineTools.ts'
import { getDeviceFix } from './devices.ts'
import type { ModelPlaces } from './prepareModel.ts'
import { suggestions } from './suggestions.ts'

/** The tools over `engine`, whose models are at `places`. What they need loads when it is first used. */
export function createEngineTools({ engine, places }: { engine: Engine; places: ModelPlaces }): EngineTools {
  return {
    benchModel: async (request, hooks) => (await import('./benchModel.ts')).benchModel(engine, places, request, hooks),
    getDeviceFix: (device) => getDeviceFix(device),
    planCuda: async (source) => (await import('./cuda/cudaLibraries.ts')).planCuda(source),
    installCuda: async (plan, hooks) => (await import('./cuda/cudaLibraries.ts')).installCuda(plan, hooks),
    listSuggestions: () => suggestions,
  }
}
