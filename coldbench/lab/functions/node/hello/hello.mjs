// The smallest function: says hello.

import { serve } from '../server.mjs';

serve(() => [200, { hello: 'world' }]);
