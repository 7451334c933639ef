/* copy: the bytes of one open file into another, the cheapest way there is. */
#ifndef APPLY_COPY_H
#define APPLY_COPY_H

/* Both at their beginnings, to empty. Shares the blocks where the file system
 * can, else lets the kernel copy, else reads and writes. 0, or -1 and errno. */
int copy_contents(int from, int to);

#endif
