/* Workers take the next item from one atomic counter until none is left. */
#include "sofold/pool.h"

#include <stdatomic.h>
#include <unistd.h>

struct run {
	atomic_size_t next;
	size_t nr;
	void (*work)(void *context, size_t item, unsigned worker);
	void *context;
};

struct worker {
	struct run *run;
	unsigned number;
};

unsigned pool_workers(size_t nr, unsigned threads)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!threads)
		threads = cores > 0 ? (unsigned)cores : 1;
	if (threads > POOL_MAX_WORKERS)
		threads = POOL_MAX_WORKERS;
	if (threads > nr)
		threads = nr ? (unsigned)nr : 1;
	return threads;
}

static void *work_until_done(void *p)
{
	struct worker *worker = p;
	struct run *run = worker->run;
	size_t item;

	while ((item = atomic_fetch_add(&run->next, 1)) < run->nr)
		run->work(run->context, item, worker->number);
	return NULL;
}

void pool_run(size_t nr, unsigned threads, void (*work)(void *context, size_t item, unsigned worker),
	      void *context)
{
	struct run run = {.nr = nr, .work = work, .context = context};
	struct worker workers[POOL_MAX_WORKERS];
	pthread_t ids[POOL_MAX_WORKERS];
	unsigned i, started = 1;

	threads = pool_workers(nr, threads);
	for (i = 0; i < threads; i++)
		workers[i] = (struct worker){&run, i};
	while (started < threads && !pthread_create(&ids[started], NULL, work_until_done, &workers[started]))
		started++;
	work_until_done(&workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(ids[i], NULL);
}

static void *do_aside(void *p)
{
	struct pool_aside *aside = p;

	aside->work(aside->context);
	return NULL;
}

void pool_begin_aside(struct pool_aside *aside, void (*work)(void *context), void *context)
{
	*aside = (struct pool_aside){.work = work, .context = context};
	aside->started = !pthread_create(&aside->thread, NULL, do_aside, aside);
	if (!aside->started)
		work(context);
}

void pool_end_aside(struct pool_aside *aside)
{
	if (aside->started)
		pthread_join(aside->thread, NULL);
	aside->started = false;
}
