/* count_instructions.c - a plugin of QEMU that counts the instructions that the emulated machine executes,
 * and prints the count at the end: "instructions N" on stderr. Interface: QEMU's qemu-plugin.h, version 1;
 * the few declarations are here because Debian's packages do not have that header. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t PluginId;
struct qemu_plugin_tb;
typedef void TranslateCallback(PluginId id, struct qemu_plugin_tb *block);
typedef void ExitCallback(PluginId id, void *data);
enum PluginOp { PLUGIN_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(PluginId id, TranslateCallback *callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum PluginOp op, void *at,
                                              uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_atexit_cb(PluginId id, ExitCallback *callback, void *data);
int qemu_plugin_install(PluginId id, const void *info, int argc, char **argv);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static uint64_t instructions;

static void count_block(PluginId id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, PLUGIN_ADD_U64, &instructions,
                                             qemu_plugin_tb_n_insns(block));
}

static void print_count(PluginId id, void *data)
{
    (void)id, (void)data;
    fprintf(stderr, "instructions %" PRIu64 "\n", instructions);
}

int qemu_plugin_install(PluginId id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_atexit_cb(id, print_count, NULL);
    return 0;
}
