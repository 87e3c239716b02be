/*
 * A server that offers no call of the module API, or all but one: loads the module as a server does, and prints what it returns.
 *
 * usage: host MODULE CALL, where CALL is the one that it lacks, or 'all'
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *lacking;

static int stub(void) { return 0; }

static int get(const char *name, void **pointer) {
    int (*call)(void) = stub;
    if (strcmp(lacking, "all") == 0 || strcmp(strchr(name, '_') + 1, lacking) == 0) return 1;
    memcpy(pointer, &call, sizeof call);
    return 0;
}

int main(int argc, char **argv) {
    void *module = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (module == NULL) return 2;
    lacking = argv[2];
    int (*load)(void *, void *, int);
    void *found = dlsym(module, "RedisModule_OnLoad");
    memcpy(&load, &found, sizeof load);
    int (*first)(const char *, void **) = get;
    void *context[8] = {NULL};
    memcpy(context, &first, sizeof first);
    printf("%d\n", load(context, NULL, 0));
    return 0;
}
