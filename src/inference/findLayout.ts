import { diffusersLayout } from './diffusersLayout.ts'
import type { ModelLayout, ModelPaths } from './modelLayout.ts'
import { transformersLayout } from './transformersLayout.ts'

/** The layout of these files: the first that knows them. Everything that is not something else is transformers'. */
export function findLayout(paths: ModelPaths): ModelLayout {
  return [diffusersLayout].find((layout) => layout.matches(paths)) ?? transformersLayout
}
