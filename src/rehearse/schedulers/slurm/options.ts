import { optionTable } from '../../getopt.js';

/** Options that sbatch and srun share, Slurm 22.05. */
const common = `
  account=,A acctg-freq= bb= bbf= begin=,b chdir=,D cluster-constraint= clusters=,M comment= constraint=,C contiguous container= core-spec=,S
  cores-per-socket= cpu-freq= cpus-per-gpu= cpus-per-task=,c deadline= delay-boot= dependency=,d distribution=,m error=,e exclude=,x
  exclusive[=] export= extra-node-info=,B get-user-env[=] gid= gpu-bind= gpu-freq= gpus=,G gpus-per-node= gpus-per-socket= gpus-per-task= gres=
  gres-flags= help,h hint= hold,H input=,i job-name=,J licenses=,L mail-type= mail-user= mcs-label= mem= mem-bind= mem-per-cpu= mem-per-gpu=
  mincpus= network= nice[=] no-kill[=],k nodefile=,F nodelist=,w nodes=,N ntasks=,n ntasks-per-core= ntasks-per-gpu= ntasks-per-node=
  ntasks-per-socket= ntasks-per-tres= open-mode= output=,o overcommit,O oversubscribe,s partition=,p power= prefer= priority= profile= qos=,q
  quiet,Q reboot reservation= signal= sockets-per-node= spread-job switches= thread-spec= threads-per-core= time=,t time-min= tmp= uid=
  usage use-min-nodes verbose,v version,V wait-all-nodes= wckey=
`;

export const sbatchOptions = optionTable(`${common}
  array=,a batch= export-file= ignore-pbs kill-on-invalid-dep= no-requeue parsable requeue test-only wait,W wrap=
`);

export const srunOptions = optionTable(`${common}
  accel-bind= bcast[=] compress[=] cpu-bind= cpu_bind= debugger-test disable-status,X epilog= exact export-file= het-group= immediate[=],I
  interactive jobid= kill-on-bad-exit[=],K label,l launch-cmd launcher-opts= mem_bind= mpi= msg-timeout= multi-prog no-allocate,Z overlap
  preserve-env,E prolog= propagate[=] pty quit-on-interrupt relative=,r resv-port[=] resv-ports[=] send-libs[=] slurmd-debug= task-epilog=
  task-prolog= test-only threads=,T unbuffered,u wait=,W whole
`);
