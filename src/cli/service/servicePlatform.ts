import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileUnwritable } from '../../errors/cli.ts'
import { serviceFolderClosed, servicePlatformUnknown } from '../../errors/service.ts'
import { formatLaunchdPlist, launchdLabel } from './launchdPlist.ts'
import { type ServiceSpec, serviceName } from './serviceSpec.ts'
import { formatSystemdUnit } from './systemdUnit.ts'
import { formatWindowsTask } from './windowsTask.ts'

/** How a machine keeps programs running. */
export interface ServicePlatform {
  manager: 'systemd' | 'launchd' | 'Task Scheduler'
  path: string
  /** other files that the manager made of it */
  traces: readonly string[]
  text: string
  encoding: 'utf8' | 'utf16le'
  /** commands that start it, now and from now on */
  start: readonly string[]
  /** commands that end it after its file was removed */
  stop: readonly string[]
}

export interface Machine {
  platform: NodeJS.Platform
  /** the user's home folder, not cuckoo's */
  homeFolder: string
}

/** @throws CUCKOO_SERVICE_PLATFORM_UNKNOWN */
export function getServicePlatform(spec: ServiceSpec, { platform, homeFolder }: Machine): ServicePlatform {
  if (platform === 'linux') return toSystemd(spec, homeFolder)
  if (platform === 'darwin') return toLaunchd(spec, homeFolder)
  if (platform === 'win32') return toTaskScheduler(spec)
  throw servicePlatformUnknown({ platform })
}

function toSystemd(spec: ServiceSpec, homeFolder: string): ServicePlatform {
  const isUser = spec.scope === 'user'
  const folder = isUser ? join(homeFolder, '.config', 'systemd', 'user') : '/etc/systemd/system'
  const unit = `${serviceName}.service`
  const systemctl = isUser ? 'systemctl --user' : 'sudo systemctl'
  return {
    manager: 'systemd',
    path: join(folder, unit),
    traces: [join(folder, `${isUser ? 'default' : 'multi-user'}.target.wants`, unit)],
    text: formatSystemdUnit(spec),
    encoding: 'utf8',
    start: [
      `${systemctl} daemon-reload`,
      `${systemctl} enable --now ${serviceName}`,
      // Without it, systemd ends a user's services with the last session.
      ...(isUser ? [`loginctl enable-linger ${spec.user}`] : []),
    ],
    stop: [`${systemctl} stop ${serviceName}`, `${systemctl} daemon-reload`],
  }
}

function toLaunchd(spec: ServiceSpec, homeFolder: string): ServicePlatform {
  const isUser = spec.scope === 'user'
  const path = join(isUser ? join(homeFolder, 'Library', 'LaunchAgents') : '/Library/LaunchDaemons', `${launchdLabel}.plist`)
  const [launchctl, domain] = isUser ? ['launchctl', 'gui/$(id -u)'] : ['sudo launchctl', 'system']
  return {
    manager: 'launchd',
    path,
    traces: [],
    text: formatLaunchdPlist(spec),
    encoding: 'utf8',
    start: [`${launchctl} bootstrap ${domain} '${path.replaceAll("'", `'\\''`)}'`],
    stop: [`${launchctl} bootout ${domain}/${launchdLabel}`],
  }
}

function toTaskScheduler(spec: ServiceSpec): ServicePlatform {
  const path = join(spec.home, 'miner', `${serviceName}.xml`)
  return {
    manager: 'Task Scheduler',
    path,
    traces: [],
    text: formatWindowsTask(spec),
    // schtasks reads no other (learn.microsoft.com/en-us/windows-server/administration/windows-commands/schtasks-create)
    encoding: 'utf16le',
    start: [`schtasks /Create /TN ${serviceName} /XML "${path}"`, `schtasks /Run /TN ${serviceName}`],
    // Ending a task there ends its process at once: a drain comes first.
    stop: ['cuckoo miner drain --wait', `schtasks /Delete /TN ${serviceName} /F`],
  }
}

/** Writes the file. @throws CUCKOO_SERVICE_FOLDER_CLOSED, CUCKOO_CLI_FILE_UNWRITABLE */
export async function writeServiceFile({ path, text, encoding }: ServicePlatform): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, encoding === 'utf16le' ? `\uFEFF${text}` : text, { encoding })
    // systemd warns of a unit that everyone may write.
    await chmod(path, 0o644)
  } catch (cause) {
    throw toFileError(path, cause)
  }
}

/** Removes the file and its traces; true when there was one. @throws CUCKOO_SERVICE_FOLDER_CLOSED, CUCKOO_CLI_FILE_UNWRITABLE */
export async function removeServiceFile({ path, traces }: ServicePlatform): Promise<boolean> {
  try {
    for (const trace of traces) await rm(trace, { force: true })
    await rm(path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw toFileError(path, cause)
  }
}

function toFileError(path: string, cause: unknown): Error {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return ['EACCES', 'EPERM', 'EROFS'].includes(code) ? serviceFolderClosed({ path }, { cause }) : fileUnwritable({ path, reason: code }, { cause })
}
