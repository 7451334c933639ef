/* As much of CPython's stable interface as a test module needs, so that the
 * tests compile without Python's headers. The structs are laid out the same in
 * every release since 3.5 (free-threaded builds aside). */
#include <stddef.h>

typedef struct { ptrdiff_t refcount; void *type; } PyObject;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct { const char *name; PyCFunction function; int flags; const char *doc; } PyMethodDef;

struct PyModuleDef {
	struct { PyObject object; PyObject *(*init)(void); ptrdiff_t index; PyObject *copy; } base;
	const char *name, *doc;
	ptrdiff_t size;
	PyMethodDef *methods;
	void *slots, *traverse, *clear, *free;
};

#define PyModuleDef_HEAD_INIT {{1, NULL}, NULL, 0, NULL}
#define METH_NOARGS 4
#define PYTHON_API_VERSION 1013

PyObject *PyModule_Create2(struct PyModuleDef *module, int version);
PyObject *PyUnicode_FromString(const char *text);
