interface Link<T> {
  item: T
  previous: Link<T> | null
  next: Link<T> | null
}

/** First in, first out, with a way back to the front and out of the middle; each step in O(1). */
export class TaskQueue<T> {
  readonly #links = new Map<T, Link<T>>()
  #first: Link<T> | null = null
  #last: Link<T> | null = null

  get size(): number {
    return this.#links.size
  }

  get first(): T | undefined {
    return this.#first?.item
  }

  /** Adds `item` as the last one; nothing happens when it is in already. */
  pushBack(item: T): void {
    if (this.#links.has(item)) return
    const link: Link<T> = { item, previous: this.#last, next: null }
    if (this.#last === null) this.#first = link
    else this.#last.next = link
    this.#last = link
    this.#links.set(item, link)
  }

  /** Takes `item` out, wherever it stands. False when it was not in. */
  remove(item: T): boolean {
    const link = this.#links.get(item)
    if (link === undefined) return false
    if (link.previous === null) this.#first = link.next
    else link.previous.next = link.next
    if (link.next === null) this.#last = link.previous
    else link.next.previous = link.previous
    return this.#links.delete(item)
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let link = this.#first; link !== null; link = link.next) yield link.item
  }
}
