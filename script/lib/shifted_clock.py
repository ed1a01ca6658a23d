"""A clock that a trial sets on and back under a program that runs: see shift_clock.c."""

import os
import pathlib
import shutil
import struct
import subprocess

SOURCE = pathlib.Path(__file__).with_name("shift_clock.c")


class ShiftedClock:
    def __init__(self, folder):
        """Builds the library in a folder, which has to last as long as the programs under it."""
        self.library, self.setting = pathlib.Path(folder) / "shift_clock.so", pathlib.Path(folder) / "shift_clock"
        self.setting.write_bytes(struct.pack("=q", 0))
        compiler = next((found for name in ("clang", "cc", "gcc") if (found := shutil.which(name))), None)
        if compiler is None:
            raise FileNotFoundError("a clock cannot be set without a C compiler (clang, cc or gcc) on PATH; the Swift toolchain brings clang")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl"], check=True)

    def set(self, seconds):
        """In place: programs have the file mapped."""
        with open(self.setting, "r+b") as file:
            file.write(struct.pack("=q", seconds))

    def environment(self):
        return dict(os.environ, LD_PRELOAD=str(self.library), SHIFT_CLOCK=str(self.setting))
