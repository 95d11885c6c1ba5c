export { openDatabase, type Database } from './database.ts'
export { dataDir, generatedSecret, repositoryRoot } from './data-dir.ts'
export { loadEnvFile, readSettings, type Environment } from './settings.ts'
export { listenError, runProcess, StartupError, STOP_MESSAGE } from './startup.ts'
