"""BullMQ on the same Valkey: from enqueued to run. Only where npm is installed; it never fails a benchmark."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

from django.conf import settings

PACKAGES = ("bullmq@6.7.0", "ioredis@5")
JOBS = 2000
INSTALL_S, RUN_S = 90, 60


def bullmq_ratio() -> dict[str, float]:
    npm, node = which("npm"), which("node")
    if not (npm and node):
        return _skip("npm is not installed")
    with tempfile.TemporaryDirectory(prefix="bullmq-") as folder:
        try:
            install = [npm, "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
            subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)  # noqa: S603
            (Path(folder) / "run.js").write_text(SCRIPT)
            words = [node, "run.js", settings.REDIS_URL, str(JOBS)]
            done = subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=RUN_S)  # noqa: S603
        except (subprocess.SubprocessError, OSError) as error:
            return _skip(str(error))
    return {f"bullmq_{name}": float(value) for name, value in json.loads(done.stdout).items()}


def _skip(reason: str) -> dict[str, float]:
    sys.stderr.write(f"Without BullMQ: {reason}.\n")
    return {}


SCRIPT = """
const { Queue, Worker } = require("bullmq");
const Redis = require("ioredis");
const [url, count] = [process.argv[2], Number(process.argv[3])];
const open = () => new Redis(url.startsWith("unix://") ? new URL(url).pathname : url, { maxRetriesPerRequest: null });
const prefix = "bench-bullmq";
(async () => {
  const queue = new Queue("bench", { connection: open(), prefix });
  const waits = [];
  const started = Date.now();
  await new Promise((resolve) => {
    new Worker("bench", async (job) => {
      waits.push(Date.now() - job.data.at);
      if (waits.length === count) resolve();
    }, { connection: open(), prefix, concurrency: 2 });
    for (let n = 0; n < count; n++) queue.add("job", { at: Date.now() }, { removeOnComplete: true });
  });
  const took = (Date.now() - started) / 1000;
  waits.sort((a, b) => a - b);
  console.log(JSON.stringify({ jobs_per_s: count / took, wait_p50_ms: waits[count >> 1] }));
  process.exit(0);
})();
"""
