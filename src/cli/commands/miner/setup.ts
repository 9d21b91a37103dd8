import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import { nothingToSetUp } from '../../../errors/doctor.ts'
import { defineCommand } from '../../defineCommand.ts'
import { zHttpUrlText } from '../../schemas.ts'

export const minerSetup = defineCommand({
  description: `Fetches what a device needs and npm does not bring. --cuda: the CUDA libraries of the ONNX
runtime for NVIDIA GPUs on Linux x64, from where the runtime's own installer takes them,
checked by hash; a download that was cut off goes on. Other devices need nothing.`,
  examples: [
    { command: 'cuckoo miner setup --cuda --dry-run', note: 'what would be fetched, and how much' },
    { command: 'cuckoo miner setup --cuda', note: 'fetch it' },
  ],
  args: z.object({}),
  options: z.object({
    cuda: z.boolean().default(false).describe('the CUDA libraries (Linux x64)'),
    dryRun: z.boolean().default(false).describe('only say what would be done'),
    feed: zHttpUrlText.optional().describe('index of another NuGet feed, such as a mirror').meta({ placeholder: 'url' }),
  }),
  output: z.object({
    version: z.string().describe('of the ONNX runtime and the libraries'),
    url: z.string(),
    bytes: z.int(),
    partBytes: z.int().describe('bytes that an earlier try left'),
    files: z.array(z.object({ path: z.string(), present: z.boolean().describe('before the command ran') })),
    installed: z.boolean().describe('all files are in their places now'),
  }),
  async run({ options }, context) {
    if (!options.cuda) throw nothingToSetUp({})
    const tools = await context.ports.getEngineTools()
    const plan = await tools.planCuda({ feedUrl: options.feed, signal: context.signal })
    const { version, url, bytes, partBytes } = plan
    const files = plan.files.map(({ path, present }) => ({ path, present }))
    const isComplete = files.every(({ present }) => present)
    const planned = { version, url, bytes, partBytes, files }
    if (options.dryRun || isComplete) return { ...planned, installed: isComplete }
    context.output.note(`${formatBytes(bytes - partBytes)} of ${formatBytes(bytes)} to fetch from ${url}`)
    const spinner = await context.output.spin('fetching the CUDA libraries')
    try {
      const onProgress = (received: number, total: number) =>
        spinner.update(`${formatBytes(received)} of ${formatBytes(total)} (${Math.floor((100 * received) / total)} %)`)
      await tools.installCuda(plan, { onProgress, signal: context.signal })
    } finally {
      spinner.stop()
    }
    return { ...planned, installed: true }
  },
  view({ version, url, bytes, partBytes, files, installed }, screen) {
    const missing = files.filter(({ present }) => !present)
    if (!installed) screen.line(`Would fetch ${formatBytes(bytes - partBytes)} for ONNX runtime ${version} from ${url}`)
    else screen.line(missing.length === 0 ? `ONNX runtime ${version} has its CUDA libraries already:` : `Installed for ONNX runtime ${version}:`)
    for (const { path } of files) screen.line(`  ${path}`)
    screen.line('They need CUDA 12 and cuDNN 9 of the system, and an NVIDIA driver of 525 or newer.')
    screen.line('Debian and Ubuntu, with the package source of developer.nvidia.com/cuda-downloads:')
    screen.line('  sudo apt install cuda-libraries-12-9 libcudnn9-cuda-12')
    screen.line(`Then check: \`${screen.program} miner doctor --device cuda\``)
  },
})
