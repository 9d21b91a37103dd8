import type { Engine } from '../domain/enginePort.ts'
import type { EngineTools } from '../domain/engineTools.ts'
import type { ModelPlaces } from './prepareModel.ts'
import { suggestions } from './suggestions.ts'

export interface EngineToolsOptions {
  engine: Engine
  places: ModelPlaces
  /** index of the package feed that has the CUDA libraries; unless told the one that onnxruntime-node's own installer asks */
  cudaFeedUrl?: string | undefined
}

/** The tools over `engine`. What they need loads when it is first used. */
export function createEngineTools({ engine, places, cudaFeedUrl }: EngineToolsOptions): EngineTools {
  const options = cudaFeedUrl === undefined ? {} : { feedUrl: cudaFeedUrl }
  return {
    benchModel: async (request, hooks) => (await import('./benchModel.ts')).benchModel(engine, places, request, hooks),
    planCuda: async (signal) => (await import('./cuda/cudaLibraries.ts')).planCuda({ ...options, signal }),
    installCuda: async (plan, hooks = {}) => (await import('./cuda/cudaLibraries.ts')).installCuda(plan, hooks),
    listSuggestions: () => suggestions,
  }
}
