/** Writes to the store of its node, and looks for what the others have written to theirs. */
export const each = `
import { hostname } from 'node:os';
import { Client, tensor } from 'simwright/client';
const rank = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
const client = await Client.connect();
await client.putTensor('of-' + rank, tensor([Number(rank) + 0.5], [1]));
const [value] = (await client.getTensor('of-' + rank)).data;
const seen = [];
for (const other of [0, 1, 2]) if (await client.tensorExists('of-' + other)) seen.push(other);
console.log(hostname(), rank, value, seen.join(), process.env.SSDB);
await client.close();
`;

/** Uses the store of its node, and stays. */
export const stay = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor([1], [1]));
console.log('ready');
process.on('SIGTERM', () => process.exit(3));
setInterval(() => {}, 1000);
`;

/** Adds its rank up with those of all others by MPI itself, whichever it is, and says where it is and what it was told. */
export const hello = `
import ctypes, os, socket
open_mpi = 'OMPI_COMM_WORLD_RANK' in os.environ
mpi = ctypes.CDLL('libmpi.so.40' if open_mpi else 'libmpich.so.12', mode=ctypes.RTLD_GLOBAL)
if open_mpi:
    world, integer, plus = (
        ctypes.byref(ctypes.c_char.in_dll(mpi, name)) for name in ('ompi_mpi_comm_world', 'ompi_mpi_int', 'ompi_mpi_op_sum')
    )
else:
    world, integer, plus = 0x44000000, 0x4C000405, 0x58000003
assert mpi.MPI_Init(None, None) == 0
rank, size, total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
assert mpi.MPI_Allreduce(ctypes.byref(rank), ctypes.byref(total), 1, integer, plus, world) == 0
told = ('SIMWRIGHT_NAME', 'SIMWRIGHT_MEMBER', 'SIMWRIGHT_JOB', 'SIMWRIGHT_JOB_ID', 'SIMWRIGHT_DIR', 'SSDB', 'SSKEYIN', 'PATH', 'OMP_NUM_THREADS')
print(rank.value, socket.gethostname(), size.value, total.value, *[os.environ.get(name, '-') for name in told], flush=True)
# Debian's MPICH 4.0.2 may wait here for ever: a rank that is done waits for its process manager, and no longer answers connections of others.
if open_mpi:
    mpi.MPI_Finalize()
else:
    mpi.MPI_Barrier(world)
    os._exit(0)
`;

/** Says who it is in an MPMD launch. */
export const part = `
import os, sys, socket
rank = os.environ.get('OMPI_COMM_WORLD_RANK', os.environ.get('PMI_RANK'))
print(sys.argv[1], rank, socket.gethostname(), os.environ['SIMWRIGHT_NAME'], os.environ['SSDB'], flush=True)
`;

/** Says on which node and GPU each rank runs, and ends when four ranks have come. */
export const meet = `echo "$(uname -n) $CUDA_VISIBLE_DEVICES"
mkdir -p ../met
touch "../met/$SIMWRIGHT_NAME.$(uname -n)"
for ((left = 300; left > 0; left--)); do
  [ "$(ls ../met | wc -l)" != 4 ] || exit 0
  sleep 0.1
done
exit 1
`;
