import type { DownloadProgress } from '../domain/enginePort.ts'
import type { Dtype } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'

/** Where models of the hub come from and are kept. */
export interface HubPlace {
  /** the cache: `<directory>/<owner>/<model>/<commit>/` */
  directory: string
  baseUrl: string
  token?: string | undefined
  offline: boolean
  /** bytes that the whole cache may have */
  budgetBytes?: number | undefined
  /** what the disk has left; tests give another */
  getFreeBytes?: (directory: string) => Promise<number>
}

export interface DownloadRequest extends HubPlace {
  /** `owner/model`, already asserted */
  model: string
  /** branch, tag or commit; null is the default branch */
  revision: string | null
  dtype: Dtype
  kind?: ModelKind | undefined
  /** asks the hub again what a branch stands for */
  refresh?: boolean | undefined
  onProgress?: ((progress: DownloadProgress) => void) | undefined
  signal?: AbortSignal | undefined
}
