export interface Column {
  title: string
  align?: 'left' | 'right'
  /** may be cut to fit the width; the others never are */
  shrink?: boolean
}

export interface Table {
  columns: readonly Column[]
  rows: readonly (readonly string[])[]
}

const gap = 2

/**
 * Lines of a table, titles first, each at most `width` wide as long as cutting the `shrink` columns reaches that.
 * @example formatTable({ columns: [{ title: 'name' }, { title: 'CAI', align: 'right' }], rows: [['ada', '5']] }, 80) // ['name  CAI', 'ada     5']
 */
export function formatTable(table: Table, width: number): string[] {
  const lines = [table.columns.map(({ title }) => title), ...table.rows]
  const widths = table.columns.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)))
  let excess = widths.reduce((sum, size) => sum + size, gap * (widths.length - 1)) - width
  for (const [column, { shrink, title }] of table.columns.entries()) {
    if (!shrink || excess <= 0) continue
    const cut = Math.min(excess, Math.max(0, (widths[column] as number) - Math.max(title.length, 8)))
    widths[column] = (widths[column] as number) - cut
    excess -= cut
  }
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const text = cut(cell, widths[column] as number)
        const padding = ' '.repeat((widths[column] as number) - [...text].length)
        return table.columns[column]?.align === 'right' ? padding + text : text + padding
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

function cut(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}
