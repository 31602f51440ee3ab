#!/bin/sh
# labels.sh FILE.gz: the labels of a gzipped IDX file, one a line.
gzip -dc "$1" | tail -c +9 | od -An -v -tu1 -w1 | tr -d ' '
