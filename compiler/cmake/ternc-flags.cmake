# The level of optimisation to compile generated C with: the one place where it stands. NAME.h states it, the CMake
# function uses it, and it is the default of --cflags. Why these: docs/internals.md.
set(TERNC_FLAGS_SIZE -Os)
set(TERNC_FLAGS_SPEED_CLANG -O2)
set(TERNC_FLAGS_SPEED_GCC -O3)
