/*
 * Workers take the next item from one atomic counter until none is left.
 *
 * A new thread waits on the processor of the one that made it, which is busy, until
 * Linux gets round to moving it: milliseconds, in which another processor could have
 * done the work (measured: 2.9 ms in a process that has just begun, 0.1 ms as here). So
 * each is made on a processor of its own; once it runs it may go anywhere.
 */
#include "sofold/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

/* The processors there are for this process; none known: anywhere. */
struct processors {
	cpu_set_t all;
	unsigned nr, own; /* own: the caller's, counted from 0 */
};

struct run {
	atomic_size_t next;
	size_t nr;
	void (*work)(void *context, size_t item, unsigned worker);
	void *context;
	struct processors processors;
};

struct worker {
	struct run *run;
	unsigned number;
};

/* --------- where ------------------ */

static void find_processors(struct processors *processors)
{
	int current = sched_getcpu();
	size_t i;

	*processors = (struct processors){0};
	if (current < 0 || sched_getaffinity(0, sizeof processors->all, &processors->all))
		return;
	processors->nr = (unsigned)CPU_COUNT(&processors->all);
	for (i = 0; i < (size_t)current && i < CPU_SETSIZE; i++)
		processors->own += CPU_ISSET(i, &processors->all) != 0;
}

/* The processor of worker number, the caller's being that of worker 0. */
static size_t processor_of(const struct processors *processors, unsigned number)
{
	unsigned left = (processors->own + number) % processors->nr;
	size_t i;

	for (i = 0;; i++)
		if (CPU_ISSET(i, &processors->all) && !left--)
			return i;
}

static bool start_at(pthread_t *id, size_t processor, void *(*start)(void *), void *argument)
{
	pthread_attr_t attributes;
	cpu_set_t only;
	bool started;

	if (pthread_attr_init(&attributes))
		return false;
	CPU_ZERO(&only);
	CPU_SET(processor, &only);
	started = !pthread_attr_setaffinity_np(&attributes, sizeof only, &only) &&
		  !pthread_create(id, &attributes, start, argument);
	pthread_attr_destroy(&attributes);
	return started;
}

/* Starts a thread on the processor of worker number, where that is possible. */
static bool start_thread(pthread_t *id, const struct processors *processors, unsigned number,
			 void *(*start)(void *), void *argument)
{
	return (processors->nr && start_at(id, processor_of(processors, number), start, argument)) ||
	       !pthread_create(id, NULL, start, argument);
}

/* From then on the calling thread may run anywhere. */
static void leave(const cpu_set_t *all)
{
	if (CPU_COUNT(all))
		pthread_setaffinity_np(pthread_self(), sizeof *all, all);
}

/* --------- the work ------------------ */

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

static void work_until_done(const struct worker *worker)
{
	struct run *run = worker->run;
	size_t item;

	while ((item = atomic_fetch_add(&run->next, 1)) < run->nr)
		run->work(run->context, item, worker->number);
}

static void *start_working(void *p)
{
	const struct worker *worker = p;

	leave(&worker->run->processors.all);
	work_until_done(worker);
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
	if (threads > 1)
		find_processors(&run.processors);
	for (i = 0; i < threads; i++)
		workers[i] = (struct worker){&run, i};
	while (started < threads &&
	       start_thread(&ids[started], &run.processors, started, start_working, &workers[started]))
		started++;
	work_until_done(&workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(ids[i], NULL);
}

/* --------- beside the caller ------------------ */

static void *do_aside(void *p)
{
	struct pool_aside *aside = p;

	leave(&aside->anywhere);
	aside->work(aside->context);
	return NULL;
}

void pool_begin_aside(struct pool_aside *aside, void (*work)(void *context), void *context)
{
	struct processors processors;

	find_processors(&processors);
	*aside = (struct pool_aside){.work = work, .context = context, .anywhere = processors.all};
	aside->started = start_thread(&aside->thread, &processors, 1, do_aside, aside);
	if (!aside->started)
		work(context);
}

void pool_end_aside(struct pool_aside *aside)
{
	if (aside->started)
		pthread_join(aside->thread, NULL);
	aside->started = false;
}
