"""The programs that read some of their words, or their input, as code."""

from __future__ import annotations

import re

SHELLS = frozenset("sh bash dash ash zsh ksh mksh oksh yash posh fish rbash csh tcsh nu elvish xonsh osh rc es".split())
# Programs whose option -c is a command for a shell, wherever it stands.
WITH_COMMAND = frozenset({"su", "runuser", "sg", "script", "flock", "psql", "duckdb"})
# Per interpreter: letters of options whose next word (or rest) is code, options that take another word, and whether the
# first word that is no option is code too.
BY_OPTION: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "perl": ("eE", ("-I",), False),
    "ruby": ("e", ("-I", "-r", "-C"), False),
    "node": ("ep", ("-r", "-C"), False),
    "nodejs": ("ep", ("-r", "-C"), False),
    "bun": ("ep", ("-r",), False),
    "R": ("e", ("-g", "-d"), False),
    "Rscript": ("e", (), False),
    "julia": ("eE", ("-p", "-t", "-J"), False),
    "php": ("rBRE", ("-d", "-c"), False),
    "lua": ("e", ("-l",), False),
    "gnuplot": ("e", (), False),
    "octave": ("", (), False),
    "sage": ("c", (), False),
    "guile": ("c", ("-L", "-l"), False),
    "racket": ("e", (), False),
    "elixir": ("e", ("-r",), False),
    "scala": ("e", (), False),
    "groovy": ("e", (), False),
    "tclsh": ("", (), False),
    "expect": ("c", (), False),
    "sed": ("e", ("-f", "-l"), True),
    "awk": ("e", ("-f", "-v", "-F"), True),
    "gawk": ("e", ("-f", "-v", "-F"), True),
    "mawk": ("", ("-f", "-v", "-F"), True),
}
PYTHONS = frozenset({"python", "ipython", "pypy"})
LONG_CODE = ("--eval", "--print", "--command", "--expression", "--source", "--init-command")
# Programs all of whose words can be code, and whether their input is too. The value of a variable of make becomes part
# of its commands; ssh puts its words together and gives them to a shell.
ALL_CODE = {
    **dict.fromkeys(
        ("ssh", "rsh", "sshpass", "mosh", "plink", "pdsh", "pwsh", "powershell", "at", "batch", "sqlite3"), True
    ),
    **dict.fromkeys(("crontab", "mysql", "mariadb", "gdb", "dc", "m4", "parallel"), True),
    **dict.fromkeys(("watch", "tmux", "hyperfine", "make", "gmake", "just", "deno", "osascript"), False),
}
# Per program: the beginnings of words that are code, to the end of the word or with the next one.
BY_WORD = {
    "sbatch": re.compile(r"--wrap"),
    "tar": re.compile(
        r"--to-command=?|--checkpoint-action=?|--use-compress-program=?|--rsh-command=?|--info-script=?|-\w*[IF]$|-I"
    ),
    "git": re.compile(r"-c$|--config-env=?|--upload-pack=?|--receive-pack=?|--exec=?|-x$"),
    "env": re.compile(r"-\w*S|--split-string=?"),
    "vim": re.compile(r"-c$|--cmd$|\+"),
    "vi": re.compile(r"-c$|\+"),
    "nvim": re.compile(r"-c$|--cmd$|\+"),
    "ex": re.compile(r"-c$|\+"),
    "emacs": re.compile(r"--?eval=?|--?execute=?"),
    "matlab": re.compile(r"-batch$|-r$"),
    "rsync": re.compile(r"-\w*e$|--rsh=?|--rsync-path=?"),
    "scp": re.compile(r"-[oS]$"),
    "entr": re.compile(r"-\w*s$"),
    "xterm": re.compile(r"-e$"),
    "find": re.compile(r"-(?:exec|execdir|ok|okdir)$"),
}
# Words that are as likely to be an argument of another program as to be one.
AMBIGUOUS = frozenset("at batch just watch make parallel expect es rc nu dc gdb script".split())
EVALUATING = frozenset("eval trap let unset read mapfile readarray getopts [[".split())
DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
RESERVED = frozenset("if then elif else do while until ! { time command builtin exec coproc env nohup sudo in".split())
# What only a shell has, or has differently from the program of the same name.
BUILTINS = frozenset(
    "cd . source export set unset exec eval if for while until case select function time [[ { } ! umask ulimit trap wait "
    "read alias unalias shift return exit break continue local declare typeset readonly pushd popd dirs type hash jobs "
    "fg bg disown let getopts builtin command shopt enable history mapfile readarray coproc : [".split()
)
