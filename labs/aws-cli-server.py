"""Runs commands of the AWS CLI, each in a forked copy of this process, which has loaded the CLI before.

Most of a command's time is Python reading the CLI's modules. Here they are read once: a command is then the same code of the same installed CLI, in a
process of its own with its own environment, in a third of the time.

In: a line of JSON for each command: {"id", "args", "env", "timeoutSeconds"}. Out: "ready", then a line of JSON for each that ended: {"id", "code", "stdout", "stderr"}.
"""

import fcntl
import json
import os
import signal
import sys
import tempfile

import traceback
from importlib import import_module

given = dict(os.environ)
import awscli.clidriver  # noqa: E402

# What loading the CLI set, such as the place of its data.
own_environment = {name: value for name, value in os.environ.items() if given.get(name) != value}

# Loaded here, because a command loads them only when it sends its request. Version 2 has a botocore of its own.
botocore = "awscli.botocore" if sys.modules.get("awscli.botocore") else "botocore"
for module in ("auth", "client", "endpoint", "httpsession", "parsers", "serialize"):
    import_module(f"{botocore}.{module}")


def run_command(args, env, out, err):
    """In a forked process: becomes the command. Does not return."""
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.environ.clear()
    os.environ.update({**own_environment, **env})
    sys.argv = ["aws", *args]
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def answer(request, replies, turn):
    """In a forked process: runs the command, and writes its reply when it is this process's turn. Does not return."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            run_command(request["args"], request["env"], out, err)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
        signal.alarm(request["timeoutSeconds"])
        _, status = os.waitpid(pid, 0)
        signal.alarm(0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    line = json.dumps({"id": request["id"], "code": code, "stdout": texts[0], "stderr": texts[1]}) + "\n"
    # A long line is several writes, and other commands end at the same time.
    fcntl.lockf(turn, fcntl.LOCK_EX)
    with os.fdopen(replies, "w") as file:
        file.write(line)
    os._exit(0)


def reap(*_):
    """Takes note of those who have answered."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def main():
    # Replies have a descriptor of their own, so that nothing that a module prints gets among them.
    replies = os.dup(1)
    os.dup2(2, 1)
    os.write(replies, b"ready\n")
    signal.signal(signal.SIGCHLD, reap)
    with tempfile.TemporaryFile() as turn:
        for line in sys.stdin:
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                answer(json.loads(line), replies, turn)


main()
