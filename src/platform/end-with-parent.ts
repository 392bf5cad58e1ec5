/** Preloaded into a child process: asks it to end when the process that started it is gone, however that ended. */

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
