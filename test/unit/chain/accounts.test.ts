import { execFile } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAccount, exportAccount, importAccount, listAccounts, toAccountPath, toPasswordPath } from '../../../src/chain/accounts.ts'
import { decryptKeystore } from '../../../src/chain/keystore.ts'
import { getAccountInUse, unlockAccount } from '../../../src/chain/unlockAccount.ts'
import * as errors from '../../../src/errors/account.ts'

const run = promisify(execFile)
const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const otherKey = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'
const otherAddress = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const password = 'correct horse battery staple'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cuckoo-accounts-'))
})
afterEach(() => rm(home, { recursive: true }))

const withCode = (factory: { code: string }) => expect.objectContaining({ code: factory.code })

/** As the devnet does it: with the password beside it the keystore costs milliseconds instead of half a second. */
async function importQuickly(name: string, privateKey: string): Promise<void> {
  await mkdir(join(home, 'accounts'), { recursive: true })
  await writeFile(toPasswordPath(home, name), `${password}\n`, { mode: 0o600 })
  await importAccount(home, name, privateKey, password)
}

async function importWithoutKeptPassword(name: string, privateKey: string): Promise<void> {
  await importQuickly(name, privateKey)
  await rm(toPasswordPath(home, name))
}

describe('making and listing', () => {
  test('a new account is encrypted at full strength, for its owner only, and comes back', async () => {
    const account = await createAccount(home, 'alice', password)
    expect(await listAccounts(home)).toEqual([{ name: 'alice', path: account.path, address: account.address, problem: null }])
    if (process.platform !== 'win32') expect((await stat(account.path)).mode & 0o777).toBe(0o600)
    const text = await readFile(account.path, 'utf8')
    expect(JSON.parse(text).crypto.kdfparams).toMatchObject({ n: 2 ** 17, r: 8, p: 1 })
    const exported = await exportAccount(home, 'alice', password)
    expect(text).not.toContain(exported.slice(2))
    expect((await importAccount(home, 'again', exported, password)).address).toBe(account.address)
    expect((await readdir(join(home, 'accounts'))).sort()).toEqual(['again.json', 'alice.json'])
  })

  test('an account is never overwritten', async () => {
    await importQuickly('alice', key)
    await expect(importAccount(home, 'alice', otherKey, password)).rejects.toEqual(withCode(errors.accountExists))
    expect(await exportAccount(home, 'alice', password)).toBe(key)
  })

  test('of two that make one name at once, one wins', async () => {
    await mkdir(join(home, 'accounts'), { recursive: true })
    await writeFile(toPasswordPath(home, 'alice'), password)
    const results = await Promise.allSettled([key, otherKey, key, otherKey].map((each) => importAccount(home, 'alice', each, password)))
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  })

  test.each(['', '.', '..', '../alice', 'a/b', 'a\\b', 'Alice', '.hidden', 'a'.repeat(65), 'a\0b', 'a b', 'é'])('refuses the name %j', async (name) => {
    await expect(createAccount(home, name, password)).rejects.toEqual(withCode(errors.accountNameInvalid))
    await expect(readdir(home)).resolves.toEqual([])
  })

  test('refuses a key that is none, without showing it', async () => {
    const error = await importAccount(home, 'alice', 'deadbeef1234', password).catch((caught) => caught)
    expect(error).toEqual(withCode(errors.privateKeyInvalid))
    expect(String(error)).not.toContain('deadbeef')
  })

  test('a damaged file is listed with its problem', async () => {
    await importQuickly('alice', key)
    await writeFile(toAccountPath(home, 'broken'), '{"version":3')
    const listed = await listAccounts(home)
    expect(listed.map(({ name, address: found }) => [name, found])).toEqual([
      ['alice', address],
      ['broken', null],
    ])
    expect(listed[1]?.problem).toContain('not JSON')
  })

  test('an empty home has no accounts', async () => {
    expect(await listAccounts(home)).toEqual([])
  })

  test('says which folder cannot be written', async () => {
    const file = join(home, 'file')
    await writeFile(file, '')
    await expect(createAccount(file, 'alice', password)).rejects.toEqual(withCode(errors.accountFileFailed))
  })
})

describe('keystores', () => {
  test('Foundry reads ours, and we read what Foundry writes', async (context) => {
    const cast = findCast()
    if (cast === null) return context.skip('skipped: @foundry-rs/cast is not installed on this platform')
    const account = await importAccount(home, 'alice', key, password)
    const passwordFile = join(home, 'password')
    await writeFile(passwordFile, password)
    const { stdout } = await run(cast, ['wallet', 'address', '--keystore', account.path, '--password-file', passwordFile])
    expect(stdout.trim().toLowerCase()).toBe(address)
    const { stdout: decrypted } = await run(cast, [
      'wallet',
      'decrypt-keystore',
      '--keystore-dir',
      join(home, 'accounts'),
      'alice.json',
      '--unsafe-password',
      password,
    ])
    expect(decrypted).toContain(key)

    await run(cast, ['wallet', 'import', 'theirs', '--keystore-dir', home, '--private-key', otherKey, '--unsafe-password', password])
    const theirs = await readFile(join(home, 'theirs'), 'utf8')
    expect((await importAccount(home, 'theirs', theirs, password)).address).toBe(otherAddress)
  })

  test('the vectors of the Web3 Secret Storage definition open (pbkdf2 and scrypt)', async () => {
    for (const vector of [pbkdf2Vector, scryptVector]) {
      expect(await decryptKeystore(JSON.stringify(vector), 'testpassword', 'the vector')).toBe(
        '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d',
      )
    }
  })

  test('a wrong password is told from a damaged file', async () => {
    await importWithoutKeptPassword('alice', key)
    await expect(exportAccount(home, 'alice', 'wrong')).rejects.toEqual(withCode(errors.passwordWrong))
    const keystore = JSON.parse(await readFile(toAccountPath(home, 'alice'), 'utf8'))
    const damage = async (change: (copy: typeof keystore) => void) => {
      const copy = structuredClone(keystore)
      change(copy)
      await writeFile(toAccountPath(home, 'alice'), JSON.stringify(copy))
      return exportAccount(home, 'alice', password).catch((error) => error.code)
    }
    expect(await damage(() => {})).toBe(key)
    expect(await damage((copy) => delete copy.crypto)).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.version = 1))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.crypto.cipher = 'aes-256-gcm'))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.crypto.kdfparams.n = 2 ** 30))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.crypto.kdfparams.n = 1000))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.crypto.ciphertext = '00'))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.address = '0'.repeat(40)))).toBe(errors.keystoreInvalid.code)
    expect(await damage((copy) => (copy.crypto.mac = '0'.repeat(64)))).toBe(errors.passwordWrong.code)
    await writeFile(toAccountPath(home, 'alice'), '')
    await expect(exportAccount(home, 'alice', password)).rejects.toEqual(withCode(errors.keystoreInvalid))
  })
})

describe('unlocking', () => {
  test('takes the first source there is', async () => {
    await importQuickly('alice', key)
    const keyFile = join(home, 'key')
    const passwordFile = join(home, 'password')
    await writeFile(keyFile, `${otherKey}\n`)
    await writeFile(passwordFile, `${password}\r\nsecond line\n`)
    const prompts: string[] = []
    const promptPassword = (name: string) => {
      prompts.push(name)
      return Promise.resolve(password)
    }
    const unlock = async (options: Partial<Parameters<typeof unlockAccount>[0]>) => (await unlockAccount({ home, ...options })).signer.address

    expect(await unlock({ privateKey: otherKey, privateKeyFile: '/nowhere', password: 'wrong' })).toBe(otherAddress)
    expect(await unlock({ privateKeyFile: keyFile, password: 'wrong' })).toBe(otherAddress)
    // The devnet keeps its accounts' passwords: that of this terminal is for the user's own.
    expect(await unlock({ password: 'wrong', passwordFile: '/nowhere', promptPassword })).toBe(address)
    await rm(toPasswordPath(home, 'alice'))
    expect(await unlock({ password, passwordFile: '/nowhere' })).toBe(address)
    expect(await unlock({ passwordFile, passwordFd: 9_999 })).toBe(address)
    const fd = openSync(passwordFile, 'r')
    expect(await unlock({ passwordFd: fd, promptPassword })).toBe(address)
    closeSync(fd)
    expect(prompts).toEqual([])
    expect(await unlock({ promptPassword })).toBe(address)
    expect(prompts).toEqual(['alice'])
  })

  test('an empty password is a password', async () => {
    await importWithoutKeptPassword('alice', key)
    await expect(unlockAccount({ home, password: '' })).rejects.toEqual(withCode(errors.passwordWrong))
  })

  test('without a terminal the error names what to set', async () => {
    await importWithoutKeptPassword('alice', key)
    const error = await unlockAccount({ home }).catch((caught) => caught)
    expect(error).toEqual(withCode(errors.passwordMissing))
    expect(error.hint).toMatchInlineSnapshot(`"Set CUCKOO_PASSWORD, or give --password-file <file> or --password-fd <number>."`)
  })

  test('which account: the only one, the named one, or an error that lists them', async () => {
    await expect(unlockAccount({ home })).rejects.toEqual(withCode(errors.accountMissing))
    await importQuickly('alice', key)
    await importQuickly('bob', otherKey)
    const error = await unlockAccount({ home }).catch((caught) => caught)
    expect(error).toEqual(withCode(errors.accountAmbiguous))
    expect(error.hint).toContain('alice, bob')
    expect(await getAccountInUse({ home, name: 'bob' })).toEqual({ name: 'bob', address: otherAddress })
    await expect(unlockAccount({ home, name: 'carol' })).rejects.toEqual(withCode(errors.accountUnknown))
    await expect(unlockAccount({ home, name: '../alice' })).rejects.toEqual(withCode(errors.accountNameInvalid))
  })

  test('a bare key beside the name of another account is refused, beside its own it is not', async () => {
    await importQuickly('alice', key)
    await expect(unlockAccount({ home, name: 'alice', privateKey: otherKey })).rejects.toEqual(withCode(errors.accountMismatch))
    expect((await unlockAccount({ home, name: 'alice', privateKey: key })).signer.address).toBe(address)
    expect(await getAccountInUse({ home, privateKey: otherKey })).toEqual({ name: null, address: otherAddress })
  })

  test('files that cannot be read are named', async () => {
    await importWithoutKeptPassword('alice', key)
    await expect(unlockAccount({ home, privateKeyFile: join(home, 'no') })).rejects.toEqual(withCode(errors.privateKeyUnreadable))
    await expect(unlockAccount({ home, passwordFile: join(home, 'no') })).rejects.toEqual(withCode(errors.passwordUnreadable))
    await expect(unlockAccount({ home, passwordFd: 9_999 })).rejects.toEqual(withCode(errors.passwordUnreadable))
    await writeFile(join(home, 'empty'), '')
    await expect(unlockAccount({ home, privateKeyFile: join(home, 'empty') })).rejects.toEqual(withCode(errors.privateKeyInvalid))
  })

  test('a keystore that may not be read is not an unknown account', async (context) => {
    if (process.platform === 'win32' || process.getuid?.() === 0) return context.skip('skipped: root and Windows read everything')
    await importQuickly('alice', key)
    await chmod(toAccountPath(home, 'alice'), 0)
    await expect(unlockAccount({ home })).rejects.toEqual(withCode(errors.accountFileFailed))
  })
})

function findCast(): string | null {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const platform = process.platform
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/cast-${platform}-${architecture}/bin/cast${platform === 'win32' ? '.exe' : ''}`)
  } catch {
    return null
  }
}

// https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/#test-vectors
const pbkdf2Vector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: { c: 262144, dklen: 32, prf: 'hmac-sha256', salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd' },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const scryptVector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: { dklen: 32, n: 262144, r: 1, p: 8, salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19' },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
