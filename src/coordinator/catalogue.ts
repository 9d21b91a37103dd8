import type { OpenTokenizer } from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import { type Manifest, tokenizerFiles, toManifestDigest } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import { manifestInvalid, modelUnknown } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'

/** A model that can be served: its name means this manifest, and its tokenizer, where it takes token ids, is open. */
export interface CatalogueModel {
  digest: Hash
  manifest: Manifest
  /** null: miners are sent what the app wrote */
  tokenizer: OpenTokenizer | null
  unitPriceWei: bigint
  firstSeenAtMs: number
}

/** What became of a manifest that a miner offered. */
export type Offer = { digest: Hash; model: string } & ({ state: 'usable' } | { state: 'wanted'; wanted: Hash[] } | { state: 'refused'; error: CuckooError })

const maxTokenizerBytes = 33_554_432
/** Printable ASCII but for `\`: no NUL, no separators that mean something elsewhere. */
const pathPattern = /^(?!\/)[\x20-\x5b\x5d-\x7e]+$/
const namePattern = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/

/** Manifests by digest, the names they are pinned to, and their tokenizers. */
export class Catalogue {
  readonly #ports: CoordinatorPorts
  readonly #manifests = new Map<Hash, { manifest: Manifest; firstSeenAtMs: number }>()
  readonly #pins = new Map<string, Hash>()
  readonly #tokenizers = new Map<Hash, Promise<OpenTokenizer>>()
  readonly #usable = new Map<Hash, CatalogueModel>()

  private constructor(ports: CoordinatorPorts) {
    this.#ports = ports
    for (const [model, digest] of Object.entries(ports.config.pins)) this.#pins.set(model, digest)
  }

  /** The catalogue as the store has it; tokenizers open when a miner offers their model. */
  static async load(ports: CoordinatorPorts): Promise<Catalogue> {
    const catalogue = new Catalogue(ports)
    for (const { digest, manifest, firstSeenAtMs } of await ports.store.listManifests()) catalogue.#keep(digest, manifest, firstSeenAtMs)
    return catalogue
  }

  /** The model that `name` means here. */
  findByName(name: string): CatalogueModel | undefined {
    const digest = this.#pins.get(name)
    return digest === undefined ? undefined : this.#usable.get(digest)
  }

  /** True when `name` was servable once, whoever offers it now. */
  isKnown(name: string): boolean {
    const digest = this.#pins.get(name)
    return digest !== undefined && this.#manifests.has(digest)
  }

  /** True when tasks for this manifest can be dispatched. */
  isUsable(digest: Hash): boolean {
    return this.#usable.has(digest)
  }

  list(): CatalogueModel[] {
    return [...this.#usable.values()]
  }

  /** @throws CUCKOO_MODEL_UNKNOWN when no manifest has this digest */
  getManifest(digest: Hash): Manifest {
    const known = this.#manifests.get(digest)
    if (known === undefined) throw modelUnknown({ model: digest, known: '' })
    return known.manifest
  }

  /** What a unit of this model pays here, in wei. */
  toUnitPriceWei(manifest: Manifest): bigint {
    const { unitPriceWei } = this.#ports.config
    return unitPriceWei.models[manifest.model] ?? unitPriceWei.kinds[manifest.kind]
  }

  /** The tokenizer of a manifest that was servable once. @throws CUCKOO_MODEL_UNKNOWN, or what opening it throws */
  getTokenizer(digest: Hash): Promise<OpenTokenizer> {
    const { manifest } = this.#manifests.get(digest) ?? {}
    if (manifest === undefined) return Promise.reject(modelUnknown({ model: digest, known: '' }))
    return this.#openTokenizer(digest, manifest)
  }

  /** Looks at a manifest that a miner offers: usable at once, usable once the wanted tokenizer files are here, or refused with a reason. */
  async consider(manifest: Manifest): Promise<Offer> {
    const digest = toManifestDigest(manifest)
    const offer = { digest, model: manifest.model }
    try {
      this.#assertAcceptable(digest, manifest)
      const wanted = await this.#findMissing(manifest)
      if (wanted.length > 0) return { ...offer, state: 'wanted', wanted }
      await this.#makeUsable(digest, manifest)
      return { ...offer, state: 'usable' }
    } catch (error) {
      const reason = toCuckooError(error)
      if (reason.kind === 'internal') this.#ports.logger.error({ err: reason, model: manifest.model }, 'a model could not be opened')
      return {
        ...offer,
        state: 'refused',
        error: reason.code === manifestInvalid.code ? reason : manifestInvalid({ model: manifest.model, problem: reason.message }, { cause: reason }),
      }
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#tokenizers.values())
    await Promise.all(opened.map((result) => (result.status === 'fulfilled' ? result.value.dispose() : undefined)))
  }

  #assertAcceptable(digest: Hash, manifest: Manifest): void {
    const { acceptManifests, listedDigests, maxModels } = this.#ports.config
    const refuse = (problem: string) => manifestInvalid({ model: manifest.model, problem })
    if (!namePattern.test(manifest.model)) throw refuse("its name is not 'owner/model'")
    for (const { path } of manifest.files)
      if (!pathPattern.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..'))
        throw refuse(`the path '${path}' is not allowed`)
    if (new Set(manifest.files.map((file) => file.path)).size < manifest.files.length) throw refuse('it names a file twice')
    if (takesTokens(manifest) && !manifest.files.some((file) => file.path === 'tokenizer.json')) throw refuse('it has no tokenizer.json')
    const problem = findTraitProblem(manifest)
    if (problem !== null) throw refuse(problem)
    for (const file of listTokenizerFiles(manifest)) if (file.bytes > maxTokenizerBytes) throw refuse(`${file.path} is larger than ${maxTokenizerBytes} bytes`)
    if (acceptManifests === 'listed' && !listedDigests.includes(digest)) throw refuse(`its digest ${digest} is not on this coordinator's list`)
    const pinned = this.#pins.get(manifest.model)
    if (pinned !== undefined && pinned !== digest) throw refuse(`here its name means the manifest ${pinned}, and this one is ${digest}`)
    if (!this.#usable.has(digest) && this.#usable.size >= maxModels) throw refuse(`${maxModels} models are served here already`)
  }

  async #findMissing(manifest: Manifest): Promise<Hash[]> {
    const files = listTokenizerFiles(manifest)
    const blobs = await Promise.all(files.map((file) => this.#ports.store.getBlob(file.sha256)))
    return files.filter((_, index) => blobs[index] === null).map((file) => file.sha256)
  }

  async #makeUsable(digest: Hash, manifest: Manifest): Promise<void> {
    if (this.#usable.has(digest)) return
    const tokenizer = takesTokens(manifest) ? await this.#openTokenizer(digest, manifest) : null
    const { store, clock } = this.#ports
    const firstSeenAtMs = this.#manifests.get(digest)?.firstSeenAtMs ?? clock.nowMs()
    await store.putManifest(manifest, digest, firstSeenAtMs)
    // Another manifest of this name may have become usable meanwhile: the first one pins it.
    this.#keep(digest, manifest, firstSeenAtMs)
    this.#assertAcceptable(digest, manifest)
    this.#usable.set(digest, { digest, manifest, tokenizer, unitPriceWei: this.toUnitPriceWei(manifest), firstSeenAtMs })
  }

  #keep(digest: Hash, manifest: Manifest, firstSeenAtMs: number): void {
    this.#manifests.set(digest, { manifest, firstSeenAtMs })
    if (!this.#pins.has(manifest.model)) this.#pins.set(manifest.model, digest)
  }

  #openTokenizer(digest: Hash, manifest: Manifest): Promise<OpenTokenizer> {
    const known = this.#tokenizers.get(digest)
    if (known !== undefined) return known
    const opening = this.#readTokenizerFiles(manifest).then((files) => this.#ports.tokenizers.openTokenizer(files))
    this.#tokenizers.set(digest, opening)
    // A failure is told to whoever asked, and tried again by the next one.
    opening.catch(() => this.#tokenizers.delete(digest))
    return opening
  }

  async #readTokenizerFiles(manifest: Manifest): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>()
    for (const file of listTokenizerFiles(manifest)) {
      const bytes = await this.#ports.store.getBlob(file.sha256)
      if (bytes === null) throw manifestInvalid({ model: manifest.model, problem: `${file.path} is not here yet` })
      files.set(file.path, bytes)
    }
    return files
  }
}

/** The refused ones of `offers`, as miners are told. */
export function listRefused(offers: readonly Offer[]): { model: string; code: string; message: string }[] {
  return offers.flatMap((offer) => (offer.state === 'refused' ? [{ model: offer.model, code: offer.error.code, message: offer.error.message }] : []))
}

/** The manifest's files that a coordinator needs: none of models that it does not tokenise for. */
export function listTokenizerFiles(manifest: Manifest): Manifest['files'] {
  return takesTokens(manifest) ? manifest.files.filter((file) => (tokenizerFiles as readonly string[]).includes(file.path)) : []
}

function takesTokens({ kind }: Manifest): boolean {
  return kind === 'text' || kind === 'embedding'
}

const kindsOfBoundedText: readonly ModelKind[] = ['text', 'translation', 'summarization', 'captioning']

/** Why no request to this model could be filled in, or null. */
function findTraitProblem({ kind, limits, image }: Manifest): string | null {
  if ((kind === 'image') !== (image !== undefined))
    return kind === 'image' ? 'it has no traits of an image model' : 'it has traits of an image model and is none'
  if (kindsOfBoundedText.includes(kind) && limits.maxOutputTokens < 1) return 'it may not give a single output token'
  if (image === undefined) return null
  const { width, height, sizeStep, maxPixels, steps, maxSteps, scheduler, schedulers } = image
  if (width % sizeStep !== 0 || height % sizeStep !== 0 || width * height > maxPixels || steps > maxSteps || !schedulers.includes(scheduler))
    return 'what it gives by default is outside its own limits'
  return null
}
