// Leaves a call of the small OpenBLAS of fixtures/trim in other ways than by returning.
//
// Why: at the level where frames of C are no longer described, a thread must still be able
// to end below one: daemon threads of an interpreter do.
// How: `unwind exit|cancel|longjmp LIBRARY`. A thread calls blas_call(), which calls back;
// the callback ends the thread, is cancelled, or jumps out. The stack is unwound through
// the library's frame, and what the thread has pushed for clean-up is run.
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void (*blas_call)(void (*callback)(void *), void *context);
static const char *way;
static jmp_buf out;
static int cleaned, returned;

static void clean(void *nothing)
{
	(void)nothing;
	cleaned++;
}

static void leave(void *nothing)
{
	(void)nothing;
	if (!strcmp(way, "exit"))
		pthread_exit(NULL);
	if (!strcmp(way, "longjmp"))
		longjmp(out, 1);
	for (;;)
		pause(); // a point of cancellation
}

static void *thread(void *nothing)
{
	pthread_cleanup_push(clean, NULL);
	if (!setjmp(out)) {
		blas_call(leave, nothing);
		returned = 1;
	}
	pthread_cleanup_pop(1);
	return NULL;
}

int main(int argc, char **argv)
{
	void *library = argc == 3 ? dlopen(argv[2], RTLD_NOW) : NULL;
	pthread_t id;

	if (!library || !(*(void **)&blas_call = dlsym(library, "blas_call")))
		return 2;
	way = argv[1];
	if (pthread_create(&id, NULL, thread, NULL))
		return 3;
	if (!strcmp(way, "cancel")) {
		usleep(20000);
		pthread_cancel(id);
	}
	pthread_join(id, NULL);
	if (cleaned == 1 && !returned)
		printf("%s: done\n", way);
	return 0;
}
