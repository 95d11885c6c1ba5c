// Preloaded into commands that would not notice when the process that started them is killed.
if (process.connected) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  // Listening must not keep a command alive that has done its work.
  process.channel.unref()
}
