/* upgrade.h - rules that fill files of their own. Private to the pass. */
#ifndef TERNC_UPGRADE_H
#define TERNC_UPGRADE_H

#include "upgrade_nodes.h"

/* upgrade_old.c: the form of opset 7 from that of 1 to 6. */
void upgrade_old(Upgrade *u, Node *n);

/* upgrade_new.c: the form of opset 17 from that of 18. */
void downgrade_resize(Upgrade *u, Node *n);
void downgrade_pad(Upgrade *u, Node *n);
void downgrade_split(Upgrade *u, Node *n);
void downgrade_reduce(Upgrade *u, Node *n);

/* upgrade_quant.c: a node of QONNX in terms of others. */
#define QONNX "qonnx.custom_op.general"
const char *qonnx_domain(const char *domain); /* QONNX for its older name too, else the same */
void upgrade_qonnx(Upgrade *u, Node *n);

/* upgrade_qlinear.c: operators on codes, ONNX's and onnxruntime's, in terms of others. */
#define MICROSOFT "com.microsoft"
void upgrade_qlinear_conv(Upgrade *u, Node *n);
void upgrade_qlinear_matmul(Upgrade *u, Node *n);
void upgrade_qgemm(Upgrade *u, Node *n);
void upgrade_qlinear(Upgrade *u, Node *n); /* QLinearAdd, QLinearConcat and the like */

#endif
