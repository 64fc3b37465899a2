// The smallest function: says hello.

import { serve } from '../server.mjs';
import { Shim } from '../shim.mjs';

serve(new Shim(), () => [200, { hello: 'world' }]);
