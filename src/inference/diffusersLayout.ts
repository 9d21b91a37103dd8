import { modelUnsupported } from '../errors/inference.ts'
import type { ModelLayout } from './modelLayout.ts'

/** Stable-Diffusion-class models in diffusers' layout: `model_index.json` and a folder per part. */
export const diffusersLayout: ModelLayout = {
  matches: (paths) => paths.has('model_index.json'),
  listConfigFiles: () => ['model_index.json'],
  listDtypes: () => [],
  plan: async ({ model }) => {
    throw modelUnsupported({ model, reason: 'image models are not read yet' })
  },
  readTraits: async ({ model }) => {
    throw modelUnsupported({ model, reason: 'image models are not read yet' })
  },
}
