/*
 * pool: the same work on many items, on every core.
 */
#ifndef SOFOLD_POOL_H
#define SOFOLD_POOL_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* More workers than this there never are: what each needs of its own fits an array. */
enum { POOL_MAX_WORKERS = 64 };

/* Calls work(context, item, worker) once for every item in [0, nr), from up
 * to threads workers (0: one for each core) numbered from 0, and returns when
 * all are done. Items are taken in order. The calling thread is worker 0; when
 * no other thread can be started it does all the work. */
void pool_run(size_t nr, unsigned threads, void (*work)(void *context, size_t item, unsigned worker),
	      void *context);

/* How many workers pool_run(nr, threads, ...) uses at most. */
unsigned pool_workers(size_t nr, unsigned threads);

/* One piece of work beside what the caller does: begun, and later waited for. When
 * no thread can be started it is done at once. A zeroed one is ended at once, too. */
struct pool_aside {
	void (*work)(void *context);
	void *context;
	pthread_t thread;
	bool started;
	cpu_set_t anywhere; /* where it may run */
};

void pool_begin_aside(struct pool_aside *aside, void (*work)(void *context), void *context);
void pool_end_aside(struct pool_aside *aside);

#endif
